package alibaba

import (
	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Who says so.
const (
	seed     = "VPC API reference, AssociateHaVip, 2024-03-22"
	detach   = "VPC API reference, UnassociateHaVip"
	common   = "VPC API reference, service error codes"
	stsPage  = "STS API reference, AssumeRole"
	provider = "Terraform's provider for Alibaba Cloud, which tries it again"
)

// What a person can do, where several codes share it.
const (
	again       = "it is tried again"
	pickOther   = "choose an instance in the HAVIP's vSwitch, or correct the roster"
	oneKind     = "let only ECS instances, or only interfaces, hold the HAVIP"
	oneEach     = "let only one interface of each instance hold the HAVIP"
	releaseOne  = "release a holder first, ask for a higher quota, or lower the roster's limit"
	checkMember = "check the id in the roster, its region and its account"
	checkKey    = "check the access key, its secret and its token"
	checkClock  = "set this machine's clock; a request is valid for 15 minutes"
)

// already names the refusals that may only say that it is so already.
var already = map[string]bool{
	"InvalidHaVip.Exist":                    true,
	"CountLimitExceeded.HaVipOnECSInstance": true,
	"QuotaExceeded.HaVipBindInstance":       true,
	"ResourceNotAssociated":                 true,
}

func maySayAlready(refused *havip.Error) bool { return already[refused.Code] }

var dialect = wire.Dialect{RequestID: "X-Acs-Request-Id", Codes: map[string]wire.Verdict{
	// The HAVIP or its instance is in the middle of something.
	"IncorrectHaVipStatus":                      wire.Busy(seed, "the HAVIP is neither Available nor InUse", again),
	"InvalidVip.Status":                         wire.Busy(seed, "the HAVIP's status allows no change now", again),
	"IncorrectInstanceStatus":                   wire.Busy(seed, "the instance is neither Running nor Stopped", "start the instance, or wait until it has started").OfInstance(),
	"OperationFailed.DistibuteLock":             wire.Busy(seed, "another change of the HAVIP holds the cloud's lock", again),
	"OperationFailed.QueryNetworkInterfaceInfo": wire.Busy(seed, "the cloud could not look the interface up", again),
	"OperationConflict":                         wire.Busy(provider, "another operation is under way", again),
	"TaskConflict":                              wire.Busy(provider, "another task is under way", again),
	"IncorrectStatus*":                          wire.Busy(provider, "the resource's status allows no change now", again),
	"LastTokenProcessing":                       wire.Busy(provider, "the same call is still being worked on", again).Unsure(),
	"Forbidden.UnassociateMaster":               wire.Busy(detach, "it serves; the cloud detaches a serving holder only with Force", "let VRRP move the address first, or detach it with force"),

	// The cloud is busy or ill.
	"Throttling*":          wire.Busy(common, "too many calls", "it is tried again; raise the account's limit if it stays so"),
	"Rejected.Throttling*": wire.Busy(common, "too many calls", "it is tried again; raise the account's limit if it stays so"),
	"SystemBusy":           wire.Busy(common, "the cloud is busy", again),
	"ServiceUnavailable":   wire.Busy(common, "the cloud's service is unavailable", again).Unsure(),
	"InternalError":        wire.Busy(common, "an error of the cloud's own", again).Unsure(),
	"UnknownError":         wire.Busy(common, "an error of the cloud's own", again).Unsure(),

	// Rules about the instance of the call.
	"OperationUnsupported.BindOnFreeNetworkInterface": wire.Refused(seed, "an interface must be attached to an instance", "attach the interface to an instance first").OfInstance(),
	"OperationUnsupported.BindOnMultipleVswitch":      wire.Refused(seed, "HAVIP and instance must be in the same vSwitch", pickOther).OfInstance(),
	"OperationUnsupported.BindOnSameEcs":              wire.Refused(seed, "two interfaces of one instance can't hold the same HAVIP", oneEach).OfInstance(),
	"OperationDenied.BindOnSameEcs":                   wire.Refused(seed, "another interface of the same instance holds the HAVIP", oneEach).OfInstance(),
	"OperationUnsupported.BindMultipleType":           wire.Refused(seed, "instances and interfaces can't hold the same HAVIP", oneKind).OfInstance(),
	"CountLimitExceed.HaVipOnInstance":                wire.Refused(seed, "the instance holds as many HAVIPs as it may", "release another HAVIP of the instance, or ask for a higher quota").OfInstance(),
	"InvalidNetworkInterfaceId.NotFound":              wire.Refused(seed, "no such interface in the region", checkMember).OfInstance(),
	"InvalidInstance.NotExist":                        wire.Refused(seed, "no such instance in the region", checkMember).OfInstance(),
	"InvalidInstanceId.NotFound":                      wire.Refused(seed, "no such instance in the region", checkMember).OfInstance(),
	"ResourceNotFound.EcsInstance":                    wire.Refused(seed, "no such instance in the region", checkMember).OfInstance(),
	"ResourceNotAssociated":                           wire.Refused(detach, "the instance does not hold the HAVIP", "look at the HAVIP's holders").OfInstance(),
	"InvalidHaVip.Exist":                              wire.Refused(seed, "the cloud says that the instance holds it already, and does not show it", "look at the HAVIP's holders").OfInstance(),

	// Rules about the HAVIP, the region and the account.
	"CountLimitExceeded.HaVipOnECSInstance": wire.Refused(seed, "as many instances hold the HAVIP as may", releaseOne),
	"QuotaExceeded.HaVipBindInstance":       wire.Refused(seed, "as many instances hold the HAVIP as may", releaseOne),
	"OperationUnsupported.HavipBindType":    wire.Refused(seed, "interfaces can't hold a HAVIP in this region", "let instances hold it: instanceType EcsInstance"),
	"IllegalParam.InstanceType":             wire.Refused(seed, "the instance type is EcsInstance or NetworkInterface", "correct the roster's instanceType"),
	"InvalidRegionId.NotFound":              wire.Refused(seed, "no such region", "correct the roster's region"),
	"InvalidHaVipId.NotFound":               wire.Refused(seed, "no such HAVIP in the region", "check the HAVIP's id, region and account"),
	"Forbidden.HaVip":                       wire.Refused(seed, "the account may not use HAVIPs", "apply for the privilege vpc_privilege_allow_buy_havip_instance in Quota Center"),
	"IdempotentParameterMismatch":           wire.Refused(common, "the client token was used for another call", "report this: a token is derived from its call"),

	// Keys and permissions.
	"Forbidden*":             wire.Refused(common, "the account lacks a permission", "grant vpc:AssociateHaVip, vpc:UnassociateHaVip and vpc:DescribeHaVips, and ecs:DescribeInstances and ecs:DescribeNetworkInterfaces"),
	"NoPermission*":          wire.Refused(stsPage, "the account lacks a permission", "grant sts:AssumeRole, and let the role trust this account"),
	"EntityNotExist.Role*":   wire.Refused(stsPage, "no such role", "correct the account's roleArn"),
	"InvalidAccessKeyId*":    wire.Refused(common, "no such access key, or it is disabled", checkKey),
	"IncompleteSignature*":   wire.Refused(common, "the signature does not match", checkKey),
	"SignatureDoesNotMatch*": wire.Refused(common, "the signature does not match", checkKey),
	"InvalidSecurityToken*":  wire.Refused(common, "the security token is invalid or has expired", checkKey),
	"MissingSecurityToken*":  wire.Refused(common, "the access key is a temporary one and needs its token", checkKey),
	"InvalidTimeStamp*":      wire.Refused(common, "the request's time is too far off", checkClock),
	"SignatureNonceUsed":     wire.Refused(common, "the request was repeated on its way", "check the proxies between here and the cloud"),
	"InvalidParameter*":      wire.Refused(common, "a parameter is invalid", "check the ids in the roster"),
	"MissingParameter*":      wire.Refused(common, "a parameter is missing", "check the ids in the roster"),
}}

// notFound says of an empty list what the other operations say with a code.
func notFound(op, requestID string) *havip.Error {
	const code = "InvalidHaVipId.NotFound"
	v := dialect.Codes[code]
	return &havip.Error{Kind: v.Kind, Op: op, Code: code, Status: 200, RequestID: requestID, Rule: v.Rule, Advice: v.Advice}
}
