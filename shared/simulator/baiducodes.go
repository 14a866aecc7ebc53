package simulator

import "net/http"

// baiduCodes are the codes that bce-sdk-go names, and the ones that we guess
// (assumptions 20 to 27).
var baiduCodes = []refusal{
	{403, "AccessDenied", "Access denied."},
	{400, "InappropriateJSON", "The JSON you provided was well-formed and valid, but not appropriate for this operation."},
	{500, "InternalError", "We encountered an internal error. Please try again."},
	{403, "InvalidAccessKeyId", "The Access Key ID you provided does not exist in our records."},
	{400, "InvalidHTTPAuthHeader", "The HTTP authorization header is invalid. Consult the service documentation for details."},
	{400, "InvalidHTTPRequest", "There was an error in the body of your HTTP request."},
	{404, "InvalidURI", "Could not parse the specified URI."},
	{400, "MalformedJSON", "The JSON you provided was not well-formed."},
	{404, "InvalidVersion", "The API version specified was invalid."},
	{403, "OptInRequired", "A subscription for the service is required."},
	{412, "PreconditionFailed", "The specified If-Match header doesn't match the ETag header."},
	{400, "RequestExpired", "Request has expired."},
	{400, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your Secret Access Key and signing method. Consult the service documentation for details."},

	{400, "InvalidSessionToken", "The session token does not belong to the access key."},
	{429, "RequestLimitExceeded", "The request rate is over its limit."},
	{400, "InvalidClientToken", "The clientToken is invalid: at most 64 ASCII characters."},
	{400, "IdempotentParameterMismatch", "The clientToken was used with other parameters."},
	{404, "NoSuchObject", "The specified object is not found or resource do not exist."},
	{409, "OperationConflict", "The HAVIP is being operated on."},
	{409, "InstanceStatusConflict", "The instance is neither Running nor Stopped."},
	{400, "InstanceAlreadyBound", "The instance is bound to the HAVIP already."},
	{400, "InstanceNotBound", "The instance is not bound to the HAVIP."},
	{400, "BindMultipleType", "The HAVIP is bound to instances of another type."},
	{400, "BindSameInstance", "Another interface of the instance is bound to the HAVIP."},
	{400, "EniNotAttached", "The network interface is not attached to an instance."},
	{400, "VpcMismatch", "The instance and the HAVIP are not in the same VPC."},
	{400, "QuotaExceeded", "The number of bound instances is over its limit."},
}

var baiduBreachCodes = map[breach]string{
	noPrivilege:        "OptInRequired",
	unknownHAVIP:       "NoSuchObject",
	havipNotReady:      "OperationConflict",
	havipMoving:        "OperationConflict",
	noInterfaceBinding: "InappropriateJSON",
	unknownInstance:    "NoSuchObject",
	foreignInstance:    "NoSuchObject",
	goneInstance:       "NoSuchObject",
	unknownInterface:   "NoSuchObject",
	freeInterface:      "EniNotAttached",
	alreadyHolder:      "InstanceAlreadyBound",
	sameInstance:       "BindSameInstance",
	mixedKinds:         "BindMultipleType",
	twinInterfaces:     "BindSameInstance",
	otherNetwork:       "VpcMismatch",
	instanceNotSteady:  "InstanceStatusConflict",
	havipFull:          "QuotaExceeded",
	havipFullOfNICs:    "QuotaExceeded",
	instanceFull:       "QuotaExceeded",
	notHolder:          "InstanceNotBound",
	tokenMismatch:      "IdempotentParameterMismatch",
}

func baiduRefusal(code string) *refusal {
	for i := range baiduCodes {
		if baiduCodes[i].code == code {
			return &baiduCodes[i]
		}
	}
	return &refusal{http.StatusBadRequest, code, code}
}
