package baidu

import (
	"errors"
	"net/http"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Who says so.
const (
	library = "bce-sdk-go, bce/error.go"
	seed    = "VPC API reference, bind instance to HAVIP, 2025-10-16; the code is assumed"
	assumed = "assumed: HAVIP's own codes are not published"
)

// What a person can do, where several codes share it.
const (
	again       = "it is tried again"
	checkKey    = "check the access key, its secret and its token"
	checkMember = "check the ids in the roster, their region and account"
	report      = "report this with the request's id"
)

var dialect = wire.Dialect{RequestID: "X-Bce-Request-Id", SilentPut: true, Codes: map[string]wire.Verdict{
	"InternalError": wire.Busy(library, "an error of the cloud's own", again).Unsure(),

	"AccessDenied":          wire.Refused(library, "the account lacks a permission", "grant the key reading and operating HAVIPs and reading BCC"),
	"OptInRequired":         wire.Refused(library, "the account has not subscribed to the service", "subscribe to the service, or settle the account's bills"),
	"InvalidAccessKeyId":    wire.Refused(library, "no such access key, or it is disabled", checkKey),
	"InvalidHTTPAuthHeader": wire.Refused(library, "the signature is invalid", checkKey),
	"SignatureDoesNotMatch": wire.Refused(library, "the signature does not match", checkKey),
	"InvalidSessionToken":   wire.Refused(assumed, "the security token is invalid or has expired", checkKey),
	"RequestExpired":        wire.Refused(library, "the request's time is too far off", "set this machine's clock"),

	"InvalidHTTPRequest": wire.Refused(library, "a parameter is invalid", checkMember),
	"InappropriateJSON":  wire.Refused(library, "a parameter is invalid", "check the roster's instanceType, SERVER or ENI, and its ids"),
	"InvalidURI":         wire.Refused(library, "no such address", "check the HAVIP's id and the endpoint"),
	"InvalidVersion":     wire.Refused(library, "no such version of the API", "check the endpoint"),
	"MalformedJSON":      wire.Refused(library, "the cloud could not read the call", report),
	"PreconditionFailed": wire.Refused(library, "a precondition of the call does not hold", report),

	"RequestLimitExceeded": wire.Busy(assumed, "too many calls", "it is tried again; raise the account's limit if it stays so"),
	"Throttl*":             wire.Busy(assumed, "too many calls", "it is tried again; raise the account's limit if it stays so"),
	"OperationConflict":    wire.Busy(assumed, "the HAVIP is being changed", again),
	"ServiceUnavailable":   wire.Busy(assumed, "the cloud's service is unavailable", again).Unsure(),

	"NoSuchObject":                wire.Refused(assumed, "no such HAVIP or instance in the region", checkMember),
	"QuotaExceeded":               wire.Refused(seed, "as many instances hold the HAVIP as may", "release a holder first, ask for a higher quota, or lower the roster's limit"),
	"InvalidClientToken":          wire.Refused(seed, "a client token is at most 64 ASCII characters", report),
	"IdempotentParameterMismatch": wire.Refused(assumed, "the client token was used for another call", report),

	"InstanceStatusConflict": wire.Busy(assumed, "the instance is neither Running nor Stopped", "start the instance, or wait until it has started").OfInstance(),
	"InstanceAlreadyBound":   wire.Refused(assumed, "the cloud says that the instance holds it already, and does not show it", "look at the HAVIP's holders").OfInstance(),
	"InstanceNotBound":       wire.Refused(assumed, "the instance does not hold the HAVIP", "look at the HAVIP's holders").OfInstance(),
	"BindMultipleType":       wire.Refused(assumed, "servers and interfaces can't hold the same HAVIP", "let only servers, or only interfaces, hold the HAVIP").OfInstance(),
	"BindSameInstance":       wire.Refused(assumed, "another interface of the same instance holds the HAVIP", "let only one interface of each instance hold the HAVIP").OfInstance(),
	"EniNotAttached":         wire.Refused(assumed, "an interface must be attached to an instance", "attach the interface to an instance first").OfInstance(),
	"VpcMismatch":            wire.Refused(seed, "HAVIP and instance must be in the same VPC", "choose an instance in the HAVIP's VPC, or correct the roster").OfInstance(),
}}

// concernsHAVIP tells a refusal that the HAVIP or the instance is the reason for
// from one of the account. Any of them may only say that it is so already: the codes
// that do are not published.
func concernsHAVIP(e *havip.Error) bool {
	switch {
	case !errors.Is(e, havip.ErrRefused), e.Status < http.StatusBadRequest:
		return false
	default:
		return e.Status != http.StatusUnauthorized && e.Status != http.StatusForbidden
	}
}
