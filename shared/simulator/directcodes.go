package simulator

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"havip-functions/shared/havip"
)

// Codes are all that a cloud says no with, alibaba or baidu.
func Codes(cloud string) []string {
	all := baiduCodes
	if cloud == "alibaba" {
		all = slices.Concat(associateCodes, furtherCodes)
	}
	codes := make([]string, len(all))
	for i, c := range all {
		codes[i] = c.code
	}
	return codes
}

// What the codes mean to us. The adapters' own tables are out of reach, since
// their tests import this package; TestDirectSaysWhatTheAdaptersSay holds these
// lists to them.
var (
	// alreadyCodes may only say that it is so already: they are read back.
	alreadyCodes = []string{
		"InvalidHaVip.Exist", "CountLimitExceeded.HaVipOnECSInstance", "QuotaExceeded.HaVipBindInstance", "ResourceNotAssociated",
		"InstanceAlreadyBound", "InstanceNotBound", "QuotaExceeded", "NoSuchObject",
	}
	// busyCodes are definite, for now.
	busyCodes = []string{
		"IncorrectHaVipStatus", "InvalidVip.Status", "OperationFailed.DistibuteLock", "OperationFailed.QueryNetworkInterfaceInfo",
		"Forbidden.UnassociateMaster", "Throttling.User", "IncorrectInstanceStatus",
		"RequestLimitExceeded", "OperationConflict", "InstanceStatusConflict",
	}
	// unsureCodes leave open whether the call had its effect.
	unsureCodes = []string{"ServiceUnavailable", "InternalError"}
	// instanceCodes concern the instance of the call.
	instanceCodes = []string{
		"OperationUnsupported.BindOnFreeNetworkInterface", "OperationUnsupported.BindOnMultipleVswitch",
		"OperationUnsupported.BindOnSameEcs", "OperationDenied.BindOnSameEcs", "OperationUnsupported.BindMultipleType",
		"CountLimitExceed.HaVipOnInstance", "InvalidNetworkInterfaceId.NotFound", "InvalidInstance.NotExist",
		"InvalidInstanceId.NotFound", "ResourceNotFound.EcsInstance", "ResourceNotAssociated", "InvalidHaVip.Exist",
		"IncorrectInstanceStatus",
		"InstanceStatusConflict", "InstanceAlreadyBound", "InstanceNotBound", "BindMultipleType", "BindSameInstance",
		"EniNotAttached", "VpcMismatch",
	}
)

// judge says of an answer what the cloud's adapter would say; nil of a yes.
func (d *Direct) judge(ctx context.Context, q *request) error {
	code, op := q.call.Code, q.call.Operation
	e := &havip.Error{Kind: havip.ErrBusy, Op: op, Code: code, Status: q.call.Status, RequestID: q.call.RequestID,
		Message: d.dialect.known(code).message, Advice: "it is tried again"}
	switch {
	case ctx.Err() != nil:
		return given(ctx, op, true)
	case q.call.ReplyLost:
		e.Code, e.Lost = "ConnectionLost", true
	case code == "" && q.faults.front == 0:
		return nil
	case code == "":
		e.Code, e.Lost = "HTTP "+http.StatusText(q.call.Status), true
	case slices.Contains(unsureCodes, code):
		e.Lost = true
	case !slices.Contains(busyCodes, code):
		e.Kind, e.Advice = havip.ErrRefused, "look the code up in the cloud's error centre"
	}
	e.Instance = slices.Contains(instanceCodes, code) || q.call.Status == http.StatusNotFound && d.missesInstance(q)
	return e
}

// missesInstance tells that Baidu, which has one code for all that it does not
// find, can only mean the instance.
func (d *Direct) missesInstance(q *request) bool {
	return !d.names.guards && len(q.call.Instances) > 0 && d.s.has(d.dialect.cloud, q.call.HAVIP)
}

func (s *Simulator) has(cloud, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.address(cloud, id) != nil
}

// given says that the caller did not wait for the answer.
func given(ctx context.Context, op string, sent bool) *havip.Error {
	e := &havip.Error{Kind: havip.ErrBusy, Op: op, Code: "Timeout", Rule: "no answer came in time", Advice: "look again before another call", Lost: sent}
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Code, e.Rule = "Canceled", "the call was given up before its answer"
	}
	return e
}
