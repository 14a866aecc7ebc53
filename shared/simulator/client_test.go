package simulator_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"havip-functions/shared/simulator"
)

// client signs calls on its own, without a line of the simulator's.
type client struct {
	t       *testing.T
	http    http.Client
	alibaba string // base addresses
	baidu   string
	key     string
	secret  string
	token   string
	region  string
	acs3    bool // sign with the third signature
	get     bool // all parameters in the query
	inQuery []string
}

// reply is an answer of either cloud.
type reply struct {
	Status  int
	Header  http.Header
	Raw     string
	Code    string
	Message string
	body    map[string]any
	err     error
}

var nonces atomic.Int64

// newClient reaches a simulator without sockets.
func newClient(t *testing.T, s *simulator.Simulator) *client {
	return &client{
		t: t, http: http.Client{Transport: s.Transport()},
		alibaba: "http://alibaba.sim", baidu: "http://baidu.sim",
		key: "testak", secret: "testsk", region: "cn-hangzhou",
	}
}

// start builds a simulator whose effects are immediate unless the options say
// otherwise, and a client of it.
func start(t *testing.T, o simulator.Options) (*simulator.Simulator, *client) {
	t.Helper()
	if o.AssociateTime == 0 {
		o.AssociateTime = -1
	}
	if o.MasterTime == 0 {
		o.MasterTime = -1
	}
	s, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, newClient(t, s)
}

var versions = map[string]string{"DescribeInstances": "2014-05-26", "DescribeNetworkInterfaces": "2014-05-26", "AssumeRole": "2015-04-01"}

// rpc calls Alibaba: an action and its parameters in pairs.
func (c *client) rpc(action string, pairs ...string) reply {
	params := map[string]string{"RegionId": c.region}
	for i := 0; i < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	version := versions[action]
	if version == "" {
		version = "2016-04-28"
	}
	nonce := fmt.Sprint("nonce-", nonces.Add(1))
	now := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	if c.acs3 {
		return c.send(c.signACS3(action, version, nonce, now, params))
	}
	for k, v := range map[string]string{
		"Action": action, "Version": version, "Format": "JSON", "AccessKeyId": c.key, "SignatureMethod": "HMAC-SHA1",
		"SignatureVersion": "1.0", "SignatureType": "", "SignatureNonce": nonce, "Timestamp": now,
	} {
		if _, given := params[k]; !given {
			params[k] = v
		}
	}
	if c.token != "" {
		params["SecurityToken"] = c.token
	}
	method := map[bool]string{true: "GET", false: "POST"}[c.get]
	toSign := method + "&%2F&" + escape(joined(params))
	mac := hmac.New(sha1.New, []byte(c.secret+"&"))
	mac.Write([]byte(toSign))
	params["Signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if c.get {
		return c.send(c.request("GET", c.alibaba+"/?"+joined(params), ""))
	}
	query := map[string]string{}
	for _, k := range c.inQuery {
		query[k] = params[k]
		delete(params, k)
	}
	r := c.request("POST", c.alibaba+"/?"+joined(query), joined(params))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.send(r)
}

func (c *client) signACS3(action, version, nonce, now string, params map[string]string) *http.Request {
	r := c.request("POST", c.alibaba+"/?"+joined(params), "")
	empty := sha256.Sum256(nil)
	headers := map[string]string{
		"host": r.URL.Host, "x-acs-action": action, "x-acs-version": version, "x-acs-date": now,
		"x-acs-signature-nonce": nonce, "x-acs-content-sha256": hex.EncodeToString(empty[:]),
	}
	if c.token != "" {
		headers["x-acs-security-token"] = c.token
	}
	names := sorted(headers)
	canonical := "POST\n/\n" + joined(params) + "\n"
	for _, n := range names {
		canonical += n + ":" + headers[n] + "\n"
		r.Header.Set(n, headers[n])
	}
	canonical += "\n" + strings.Join(names, ";") + "\n" + headers["x-acs-content-sha256"]
	sum := sha256.Sum256([]byte(canonical))
	signature := hmacHex([]byte(c.secret), "ACS3-HMAC-SHA256\n"+hex.EncodeToString(sum[:]))
	r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential="+c.key+",SignedHeaders="+strings.Join(names, ";")+",Signature="+signature)
	return r
}

// rest calls Baidu; only the host is signed, as some clients do.
func (c *client) rest(method, path, body string) reply {
	return c.send(c.signBCE(c.request(method, c.baidu+path, body), time.Now()))
}

func (c *client) signBCE(r *http.Request, at time.Time) *http.Request {
	prefix := "bce-auth-v1/" + c.key + "/" + at.UTC().Format("2006-01-02T15:04:05Z") + "/1800"
	var pairs []string
	for k, v := range r.URL.Query() {
		pairs = append(pairs, escape(k)+"="+escape(v[0]))
	}
	slices.Sort(pairs)
	canonical := r.Method + "\n" + r.URL.Path + "\n" + strings.Join(pairs, "&") + "\nhost:" + escape(r.URL.Host)
	r.Header.Set("Authorization", prefix+"/host/"+hmacHex([]byte(hmacHex([]byte(c.secret), prefix)), canonical))
	return r
}

// attach and detach ask Baidu for a change of its built-in HAVIP.
func (c *client) attach(query string, ids ...string) reply {
	return c.rest("PUT", "/v1/havip/havip-w2d4?"+query, binding("SERVER", ids...))
}

func binding(kind string, ids ...string) string {
	body, _ := json.Marshal(map[string]any{"instanceIds": ids, "instanceType": kind})
	return string(body)
}

func (c *client) request(method, address, body string) *http.Request {
	r, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *client) send(r *http.Request) reply {
	answer, err := c.http.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	out := reply{Status: answer.StatusCode, Header: answer.Header, Raw: string(raw), err: err}
	if json.Unmarshal(raw, &out.body) == nil {
		out.Code, out.Message = out.text("Code")+out.text("code"), out.text("Message")+out.text("message")
	}
	return out
}

// text reads a value by its path, "Credentials.AccessKeyId".
func (r reply) text(path string) string {
	at := any(r.body)
	for key := range strings.SplitSeq(path, ".") {
		switch here := at.(type) {
		case map[string]any:
			at = here[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(here) {
				return ""
			}
			at = here[i]
		default:
			return ""
		}
	}
	if at == nil {
		return ""
	}
	return fmt.Sprint(at)
}

// want fails unless the answer has this status and code.
func (r reply) want(t *testing.T, status int, code string) reply {
	t.Helper()
	if r.err != nil || r.Status != status || r.Code != code {
		t.Fatalf("answer is %d %q (%v), want %d %q\n%s", r.Status, r.Code, r.err, status, code, r.Raw)
	}
	return r
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func joined(params map[string]string) string {
	var b bytes.Buffer
	for i, k := range sorted(params) {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(k) + "=" + escape(params[k]))
	}
	return b.String()
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func hmacHex(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// elapse lets the time of a bubble pass.
func elapse(d time.Duration) { <-time.After(d) }
