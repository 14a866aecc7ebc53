package simulator

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"net/url"

	"havip-functions/shared/simulator/sign"
)

// alibaba is the dialect of Alibaba Cloud's RPC products.
var alibaba = dialect{
	cloud:    "alibaba",
	idHeader: "x-acs-request-id",
	read:     readAlibaba,
	verify:   verifyAlibaba,
	perform:  performAlibaba,
	problem:  alibabaProblem,
	known:    func(code string) refusal { return *alibabaRefusal(code) },
	busy:     *alibabaRefusal("Throttling.User"),
	newID: func(hi, lo uint64) string {
		return fmt.Sprintf("%08X-%04X-4%03X-A%03X-%012X", hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0xfff, lo&0xffffffffffff)
	},
}

// operation answers one action, under the mutex.
type operation struct {
	needs []string // parameters that are mandatory
	do    func(*Simulator, *request) (any, *refusal)
}

// alibabaOperations are the actions by the version of their product.
var alibabaOperations = map[string]map[string]operation{
	"2016-04-28": { // Vpc
		"AssociateHaVip":   {[]string{"RegionId", "HaVipId", "InstanceId"}, (*Simulator).changeHaVip},
		"UnassociateHaVip": {[]string{"RegionId", "HaVipId", "InstanceId"}, (*Simulator).changeHaVip},
		"DescribeHaVips":   {[]string{"RegionId"}, (*Simulator).describeHaVips},
	},
	"2014-05-26": { // Ecs
		"DescribeInstances":         {[]string{"RegionId"}, (*Simulator).describeInstances},
		"DescribeNetworkInterfaces": {[]string{"RegionId"}, (*Simulator).describeNetworkInterfaces},
	},
	"2015-04-01": { // Sts
		"AssumeRole": {[]string{"RoleArn", "RoleSessionName"}, (*Simulator).assumeRole},
	},
}

// readAlibaba takes the parameters from query and form, and the action from
// there or from the headers of the third signature.
func readAlibaba(q *request) *refusal {
	if q.http.Method != http.MethodGet && q.http.Method != http.MethodPost {
		return alibabaRefusal("UnsupportedHTTPMethod")
	}
	if !q.addParams(q.http.URL.RawQuery) || isForm(q) && !q.addParams(string(q.body)) {
		return alibabaRefusal("InvalidParameter")
	}
	action, version := q.params["Action"], q.params["Version"]
	if sign.IsACS3(q.http.Header.Get("Authorization")) {
		action, version = q.http.Header.Get("x-acs-action"), q.http.Header.Get("x-acs-version")
	}
	q.call.Operation, q.call.Region = action, q.params["RegionId"]
	q.call.HAVIP, q.call.ClientToken = q.params["HaVipId"], q.params["ClientToken"]
	if id := q.params["InstanceId"]; id != "" {
		q.call.Instances = []string{id}
	}
	q.call.AccessKeyID = q.params["AccessKeyId"]
	if _, ok := alibabaOperations[version][action]; ok {
		return nil
	}
	switch {
	case action == "":
		return missing("Action")
	case version == "":
		return missing("Version")
	default:
		return alibabaRefusal("InvalidAction.NotFound")
	}
}

func isForm(q *request) bool {
	kind, _, _ := mime.ParseMediaType(q.http.Header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded" && len(bytes.TrimSpace(q.body)) > 0
}

// addParams reads parameters; those of the form win over the query's.
func (q *request) addParams(encoded string) bool {
	values, err := url.ParseQuery(encoded)
	for k, v := range sign.FirstValues(values) {
		q.params[k] = v
	}
	return err == nil
}

func performAlibaba(s *Simulator, q *request) (any, *refusal) {
	version := q.params["Version"]
	if q.call.Signature == "ACS3" {
		version = q.http.Header.Get("x-acs-version")
	}
	op := alibabaOperations[version][q.call.Operation]
	for _, p := range op.needs {
		if q.params[p] == "" {
			return nil, missing(p)
		}
	}
	return op.do(s, q)
}

func missing(param string) *refusal {
	return &refusal{http.StatusBadRequest, "Missing" + param, param + " is mandatory for this action."}
}

func alibabaProblem(q *request, why *refusal) any {
	return map[string]string{
		"RequestId": q.call.RequestID,
		"HostId":    q.http.Host,
		"Code":      why.code,
		"Message":   why.message,
		"Recommend": "https://api.alibabacloud.com/troubleshoot?q=" + url.QueryEscape(why.code) + "&product=Vpc",
	}
}
