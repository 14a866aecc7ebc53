package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"havip-functions/shared/havip"
)

const (
	checkEndpoint = "check the endpoint and what stands before it"
	checkNetwork  = "check the endpoint, the network and the cloud's status page"
	readBack      = "look again before another call: this one may have had its effect"
)

// unanswered tells a request that never left from one whose answer was lost.
func unanswered(ctx context.Context, err error) *havip.Error {
	var dial *net.OpError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial", errors.As(err, &untrusted):
		return &havip.Error{Kind: havip.ErrBusy, Code: "Unreachable", Message: err.Error(), Advice: checkNetwork}
	case ctx.Err() != nil:
		return interrupted(ctx, true)
	case errors.Is(err, errTooLarge):
		return &havip.Error{Kind: havip.ErrBusy, Code: "TooLarge", Message: err.Error(), Lost: true, Advice: checkEndpoint}
	default:
		return &havip.Error{Kind: havip.ErrBusy, Code: "ConnectionLost", Message: err.Error(), Rule: "the connection broke before the answer", Advice: readBack, Lost: true}
	}
}

func interrupted(ctx context.Context, sent bool) *havip.Error {
	e := &havip.Error{Kind: havip.ErrBusy, Code: "Timeout", Rule: "no answer came in time", Advice: checkNetwork, Lost: sent}
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Code, e.Rule = "Canceled", "the call was given up before its answer"
	}
	if sent {
		e.Advice = readBack
	}
	return e
}

func redirected(a answer) *havip.Error {
	return &havip.Error{Kind: havip.ErrBusy, Code: "Redirected", Status: a.status, Rule: "a redirect is not followed: it would repeat the call elsewhere", Advice: checkEndpoint, Lost: true}
}

func notTheCloud(a answer) *havip.Error {
	return &havip.Error{Kind: havip.ErrBusy, Code: "EmptyAnswer", Status: a.status, Rule: "a success without a request id or content is none", Advice: checkEndpoint, Lost: true}
}

func unreadable(requestID string, err error) *havip.Error {
	return &havip.Error{Kind: havip.ErrBusy, Code: "UnreadableAnswer", RequestID: requestID, Message: err.Error(), Rule: "the answer is not the cloud's JSON", Advice: checkEndpoint, Lost: true}
}

func notSent(err error) *havip.Error {
	e := &havip.Error{Kind: havip.ErrRefused, Code: "NotSent", Rule: "the request could not be built", Advice: "check the ids, the region and the endpoint"}
	if err != nil {
		e.Message = err.Error()
	}
	return e
}

// unsent keeps the kind of what failed before the call, such as a role that could
// not be assumed. Nothing was sent, so nothing is lost.
func unsent(op string, err error) *havip.Error {
	var before *havip.Error
	if !errors.As(err, &before) {
		return &havip.Error{Kind: havip.ErrRefused, Op: op, Code: "NoCredentials", Message: err.Error(), Advice: "give the account an access key or a role"}
	}
	e := *before
	e.Lost, e.Instance = false, false
	if e.Op == "" {
		e.Op = op
	}
	return &e
}
