package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"havip-functions/shared/simulator/sign"
)

// baidu is the dialect of Baidu AI Cloud's REST services.
var baidu = dialect{
	cloud:    "baidu",
	idHeader: "X-Bce-Request-Id",
	read:     readBaidu,
	verify:   verifyBaidu,
	perform:  func(s *Simulator, q *request) (any, *refusal) { return baiduOperations[q.call.Operation](s, q) },
	problem:  baiduProblem,
	known:    func(code string) refusal { return *baiduRefusal(code) },
	busy:     *baiduRefusal("RequestLimitExceeded"),
	newID: func(hi, lo uint64) string {
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0xfff, lo&0xffffffffffff)
	},
}

var baiduOperations = map[string]func(*Simulator, *request) (any, *refusal){
	"GetHaVip":      (*Simulator).getHaVip,
	"ListHaVips":    (*Simulator).listHaVips,
	"AttachHaVip":   (*Simulator).bindHaVip,
	"DetachHaVip":   (*Simulator).bindHaVip,
	"ListInstances": (*Simulator).listInstances,
}

// readBaidu names the operation by method and path, as Baidu's documents don't.
func readBaidu(q *request) *refusal {
	for k, v := range sign.FirstValues(q.http.URL.Query()) {
		q.params[k] = v
	}
	q.call.ClientToken = q.params["clientToken"]
	path := q.http.URL.Path
	id, one := strings.CutPrefix(path, "/v1/havip/")
	if one {
		q.call.HAVIP = id
	}
	switch method := q.http.Method; {
	case one && id != "" && method == http.MethodGet:
		q.call.Operation = "GetHaVip"
	case one && id != "" && method == http.MethodPut:
		return q.readBinding()
	case path == "/v1/havip" && method == http.MethodGet:
		q.call.Operation = "ListHaVips"
	case path == "/v2/instance" && method == http.MethodGet,
		path == "/v2/instance/listByInstanceId" && method == http.MethodPost:
		q.call.Operation = "ListInstances"
	default:
		return baiduRefusal("InvalidURI")
	}
	return nil
}

// binding is the body of an attach or a detach.
type binding struct {
	InstanceIDs  []string `json:"instanceIds"`
	InstanceType string   `json:"instanceType"`
}

func (q *request) readBinding() *refusal {
	_, attach := q.params["attach"]
	_, detach := q.params["detach"]
	switch {
	case attach == detach:
		return baiduRefusal("InvalidURI")
	case attach:
		q.call.Operation = "AttachHaVip"
	default:
		q.call.Operation = "DetachHaVip"
	}
	var b binding
	if err := json.Unmarshal(q.body, &b); err != nil {
		return baiduRefusal("MalformedJSON")
	}
	q.params["instanceIds"], q.params["instanceType"] = strings.Join(b.InstanceIDs, ","), b.InstanceType
	q.call.Instances = append([]string{}, b.InstanceIDs...)
	return nil
}

// verifyBaidu checks the signature and its time. A call that comes again byte
// for byte is a client's retry, and no replay.
func verifyBaidu(s *Simulator, q *request) *refusal {
	authorization := q.http.Header.Get("Authorization")
	if authorization == "" {
		return baiduRefusal("AccessDenied")
	}
	h, ok := sign.ParseBCE(authorization)
	if !ok {
		return baiduRefusal("InvalidHTTPAuthHeader")
	}
	q.call.AccessKeyID, q.call.Signature = h.KeyID, "BCE"
	c, ok := s.credential("baidu", h.KeyID)
	switch {
	case !ok:
		return baiduRefusal("InvalidAccessKeyId")
	case len(h.Signed) > 0 && !slices.Contains(h.Signed, "host"):
		return baiduRefusal("InvalidHTTPAuthHeader")
	case q.at.After(h.At.Add(h.Lives)) || h.At.After(q.at.Add(skew)):
		return baiduRefusal("RequestExpired")
	case !h.Matches(q.http, c.secret):
		return baiduRefusal("SignatureDoesNotMatch")
	case c.token != "" && !sign.Same(c.token, q.http.Header.Get("x-bce-security-token")):
		return baiduRefusal("InvalidSessionToken")
	}
	q.realms = hosted(q.http.Host, c.realms)
	q.call.Region = q.realms[0].spec.Region
	return nil
}

// hosted narrows realms down to the one whose region the host names, as
// bcc.bj.baidubce.com does; a local address names none.
func hosted(host string, realms []*realm) []*realm {
	labels := strings.Split(host, ".")
	for _, r := range realms {
		if slices.Contains(labels, r.spec.Region) {
			return []*realm{r}
		}
	}
	return realms
}

func baiduProblem(q *request, why *refusal) any {
	return map[string]string{"requestId": q.call.RequestID, "code": why.code, "message": why.message}
}
