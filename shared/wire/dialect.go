package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"havip-functions/shared/havip"
)

// Dialect is how one cloud answers.
type Dialect struct {
	RequestID string             // the header with the request's id
	SilentPut bool               // a PUT is answered without a body
	Codes     map[string]Verdict // by code; a key that ends in * stands for what begins so
}

// answer is a cloud's, as far as a verdict needs it.
type answer struct {
	said
	status    int
	requestID string
	silent    bool  // no body is expected
	empty     bool  // there is none
	err       error // of reading the body
}

// said is what an answer of either cloud may hold; encoding/json is blind to the
// case in which they differ.
type said struct {
	Code, Message text
	RequestID     text
}

func (d Dialect) read(resp *http.Response, body []byte) answer {
	a := answer{status: resp.StatusCode, requestID: resp.Header.Get(d.RequestID)}
	body = bytes.TrimSpace(body)
	if a.empty = len(body) == 0 || bytes.Equal(body, []byte("{}")); !a.empty {
		a.err = json.Unmarshal(body, &a.said)
	}
	if a.requestID == "" {
		a.requestID = string(a.RequestID)
	}
	return a
}

// judge returns nil where the cloud itself said yes.
func (d Dialect) judge(a answer) *havip.Error {
	switch {
	case a.status >= 300 && a.status < 400:
		return redirected(a)
	case a.status >= 400 || a.Code != "":
		return d.refusal(a)
	case a.err != nil:
		return unreadable(a.requestID, a.err)
	case a.requestID == "", a.empty && !a.silent:
		return notTheCloud(a)
	default:
		return nil
	}
}

func (d Dialect) refusal(a answer) *havip.Error {
	code, message := string(a.Code), string(a.Message)
	v, known := d.Verdict(code)
	if !known {
		v = byStatus(a.status)
	}
	if code == "" {
		code, message = "HTTP "+strconv.Itoa(a.status), http.StatusText(a.status)
	}
	return &havip.Error{
		Kind: v.Kind, Code: code, Status: a.status, Message: message, RequestID: a.requestID,
		Rule: v.Rule, Advice: v.Advice, Lost: v.Lost, Instance: v.Instance,
	}
}

// text reads numbers too: a gateway's numeric code is still a code.
type text string

// UnmarshalJSON never fails, so that one odd field doesn't hide the others.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = string(b)
	}
	*t = text(s)
	return nil
}
