package alibaba_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"havip-functions/shared/havip"
)

// TestCodes wants each code of the vendor's page for AssociateHaVip, spelt and with
// the status as there, and those that clients report beside it.
func TestCodes(t *testing.T) {
	const busy, lost, refused, unfit = "busy", "lost", "refused", "unfit"
	tests := []struct {
		status int
		code   string
		want   string
	}{
		{400, "OperationUnsupported.BindOnFreeNetworkInterface", unfit},
		{400, "OperationUnsupported.BindMultipleType", unfit},
		{400, "OperationUnsupported.BindOnMultipleVswitch", unfit},
		{400, "InvalidVip.Status", busy},
		{400, "IncorrectHaVipStatus", busy},
		{400, "IncorrectInstanceStatus", "busy of the instance"},
		{400, "CountLimitExceed.HaVipOnInstance", unfit},
		{400, "CountLimitExceeded.HaVipOnECSInstance", refused},
		{400, "OperationFailed.DistibuteLock", busy},
		{400, "InvalidNetworkInterfaceId.NotFound", unfit},
		{400, "OperationFailed.QueryNetworkInterfaceInfo", busy},
		{400, "IllegalParam.InstanceType", refused},
		{400, "OperationUnsupported.BindOnSameEcs", unfit},
		{400, "OperationUnsupported.HavipBindType", refused},
		{400, "InvalidInstance.NotExist", unfit},
		{400, "OperationDenied.BindOnSameEcs", unfit},
		{400, "Forbidden.HaVip", refused},
		{400, "InvalidInstanceId.NotFound", unfit},
		{400, "ResourceNotFound.EcsInstance", unfit},
		{404, "InvalidHaVip.Exist", unfit},
		{404, "InvalidRegionId.NotFound", refused},
		{404, "InvalidHaVipId.NotFound", refused},
		{404, "QuotaExceeded.HaVipBindInstance", refused},

		{409, "OperationConflict", busy},
		{409, "TaskConflict", busy},
		{400, "LastTokenProcessing", lost},
		{400, "IncorrectStatus.VSwitch", busy},
		{400, "Throttling", busy},
		{503, "Throttling.User", busy},
		{400, "Rejected.Throttling", busy},
		{503, "ServiceUnavailable", lost},
		{500, "InternalError", lost},
		{500, "NeverSeen", lost},
		{400, "NeverSeen", refused},
		{403, "Forbidden.RAM", refused},
		{404, "InvalidAccessKeyId.NotFound", refused},
		{400, "InvalidTimeStamp.Expired", refused},
		{400, "SignatureNonceUsed", refused},
		{400, "SignatureDoesNotMatch", refused},
		{403, "InvalidSecurityToken.Expired", refused},
		{400, "Forbidden.UnassociateMaster", busy},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			cloud := scripted(t, func(q request) (int, string) {
				if q.Get("Action") == "DescribeHaVips" {
					return http.StatusOK, describe(`{"HaVipId":"havip-1","Status":"InUse","AssociatedInstances":{"associatedInstance":["i-other"]}}`)
				}
				return tt.status, fmt.Sprintf(`{"RequestId":"r1","HostId":"h","Code":%q,"Message":"m","Recommend":"u"}`, tt.code)
			})
			_, err := cloud.Attach(t.Context(), call)
			var e *havip.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if got := inAWord(e); got != tt.want {
				t.Errorf("got %s, want %s: %v", got, tt.want, err)
			}
			if e.Code != tt.code || e.Op != "AssociateHaVip" || e.RequestID != "r1" || e.Status != tt.status || e.Advice == "" {
				t.Errorf("got %+v", *e)
			}
		})
	}
}

func inAWord(e *havip.Error) string {
	switch {
	case e.Lost:
		return "lost"
	case errors.Is(e, havip.ErrBusy) && e.Instance:
		return "busy of the instance"
	case errors.Is(e, havip.ErrBusy):
		return "busy"
	case e.Instance:
		return "unfit"
	default:
		return "refused"
	}
}
