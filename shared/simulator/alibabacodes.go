package simulator

import "net/http"

// FaultOnlyCodes are the codes of AssociateHaVip that no state of the world
// leads to: only a fault brings them.
var FaultOnlyCodes = []string{"OperationFailed.DistibuteLock", "OperationFailed.QueryNetworkInterfaceInfo"}

// associateCodes are the errors of AssociateHaVip, spelt as the vendor spells
// them. https://www.alibabacloud.com/help/en/vpc/api-associatehavip
var associateCodes = []refusal{
	{400, "OperationUnsupported.BindOnFreeNetworkInterface", "The network interface must be attached to an ECS instance."},
	{400, "OperationUnsupported.BindMultipleType", "You cannot bind HaVip to multiple instance types."},
	{400, "OperationUnsupported.BindOnMultipleVswitch", "The bound instance and HaVip must be on the same vSwitch."},
	{400, "InvalidVip.Status", "vip invalid status"},
	{400, "IncorrectHaVipStatus", "HaVip can be operated by this action only when it's status is Available or InUse."},
	{400, "IncorrectInstanceStatus", "ECS instance can be operated by this action only when it?s status is Running or Stopped."},
	{400, "CountLimitExceed.HaVipOnInstance", "The amount of HaVip associated with the specified Instance reach its limits."},
	{400, "CountLimitExceeded.HaVipOnECSInstance", "The amount of Instance associated with the specified HaVip reach its limits."},
	{400, "OperationFailed.DistibuteLock", "Distibute lock fail."},
	{400, "InvalidNetworkInterfaceId.NotFound", "The network interface is not found."},
	{400, "OperationFailed.QueryNetworkInterfaceInfo", "Failed to query network interface information."},
	{400, "IllegalParam.InstanceType", "The specified instance type is invalid. Only ECS instances and network interface are allowed."},
	{400, "OperationUnsupported.BindOnSameEcs", "You cannot bind two network interfaces on the same ECS instance."},
	{400, "OperationUnsupported.HavipBindType", "You cannot bind HAVIP to network interface in the specified region."},
	{400, "InvalidInstance.NotExist", "InvalidInstance.NotExist : The specified Instance does not exist in the specified region."},
	{400, "OperationDenied.BindOnSameEcs", "The operation is not allowed because networkinterface bind on same instance."},
	{400, "Forbidden.HaVip", "No permissions to perform operations on HAVIPs. Please apply for privilege--vpc_privilege_allow_buy_havip_instance."},
	{400, "InvalidInstanceId.NotFound", "The specified Instance does not exist in the specified region."},
	{400, "ResourceNotFound.EcsInstance", "The specified resource of ECS instance is not found."},
	{404, "InvalidHaVip.Exist", "haVip already bind exist."},
	{404, "InvalidRegionId.NotFound", "The RegionId provided does not exist in our records."},
	{404, "InvalidHaVipId.NotFound", "The specified HaVip does not exist in the specified region."},
	{404, "QuotaExceeded.HaVipBindInstance", "The amount of instance associated with the specified haVip reach its limits."},
}

// furtherCodes are what UnassociateHaVip and the gateway add.
// https://help.aliyun.com/zh/ecs/developer-reference/api-ecs-2014-05-26-unassociatehavip
var furtherCodes = []refusal{
	{400, "ResourceNotAssociated", "The HaVip and ECS instance are not associated."},
	{400, "Forbidden.UnassociateMaster", "Unassociating a master instance is not allowed unless the parameter Force is True."},
	{400, "Throttling.User", "Request was denied due to user flow control."},
	{400, "IdempotentParameterMismatch", "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical."},
	{400, "InvalidClientToken.Malformed", "The specified ClientToken is invalid: at most 64 ASCII characters."},
	{400, "InvalidParameter", "The specified parameter is not valid."},
	{404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."},
	{400, "UnsupportedHTTPMethod", "This http method is not supported."},
	{404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."},
	{400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."},
	{400, "IncompleteSignature", "The request signature does not conform to Aliyun standards."},
	{400, "InvalidSignatureMethod", "Specified signature method is not supported."},
	{400, "SignatureNonceUsed", "Specified signature nonce was used already."},
	{400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."},
	{400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."},
	{400, "MissingSecurityToken", "SecurityToken is mandatory for this action."},
	{400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey."},
	{400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."},
	{403, "Forbidden.RAM", "User not authorized to operate on the specified resource, or this API doesn't support RAM."},
	{404, "EntityNotExist.Role", "The specified Role not exists."},
	{503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."},
	{500, "InternalError", "The request processing has failed due to some unknown error."},
}

// breachCodes are the codes of the world's rules.
var breachCodes = map[breach]string{
	noPrivilege:        "Forbidden.HaVip",
	unknownHAVIP:       "InvalidHaVipId.NotFound",
	havipNotReady:      "InvalidVip.Status",
	havipMoving:        "IncorrectHaVipStatus",
	noInterfaceBinding: "OperationUnsupported.HavipBindType",
	unknownInstance:    "InvalidInstanceId.NotFound",
	foreignInstance:    "InvalidInstance.NotExist",
	goneInstance:       "ResourceNotFound.EcsInstance",
	unknownInterface:   "InvalidNetworkInterfaceId.NotFound",
	freeInterface:      "OperationUnsupported.BindOnFreeNetworkInterface",
	alreadyHolder:      "InvalidHaVip.Exist",
	sameInstance:       "OperationDenied.BindOnSameEcs",
	mixedKinds:         "OperationUnsupported.BindMultipleType",
	twinInterfaces:     "OperationUnsupported.BindOnSameEcs",
	otherNetwork:       "OperationUnsupported.BindOnMultipleVswitch",
	instanceNotSteady:  "IncorrectInstanceStatus",
	havipFull:          "CountLimitExceeded.HaVipOnECSInstance",
	havipFullOfNICs:    "QuotaExceeded.HaVipBindInstance",
	instanceFull:       "CountLimitExceed.HaVipOnInstance",
	notHolder:          "ResourceNotAssociated",
	guardedMaster:      "Forbidden.UnassociateMaster",
	tokenMismatch:      "IdempotentParameterMismatch",
}

// alibabaRefusal is what Alibaba says under a code; 400 under one that we don't know.
func alibabaRefusal(code string) *refusal {
	for _, codes := range [][]refusal{associateCodes, furtherCodes} {
		for i := range codes {
			if codes[i].code == code {
				return &codes[i]
			}
		}
	}
	return &refusal{http.StatusBadRequest, code, code}
}

func (r *refusal) with(message string) *refusal {
	return &refusal{r.status, r.code, message}
}
