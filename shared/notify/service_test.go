package notify

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What each service gets, to the byte. Neither DingTalk nor Feishu publishes what its
// sample gives: these are what their sample programs in Python gave for a fixed time, and
// openssl the same.
func TestWires(t *testing.T) {
	for name, tt := range map[string]struct {
		entry, secret string
		at            time.Time
		want          string
	}{
		"dingtalk": {
			"dingtalk:https://oapi.dingtalk.com/robot/send?access_token=XXX", "this is secret", time.UnixMilli(1577262236757),
			"https://oapi.dingtalk.com/robot/send?access_token=XXX&sign=hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D&timestamp=1577262236757\n" +
				`{"msgtype":"text","text":{"content":"HAVIP & more"}}`,
		},
		"dingtalk by keyword": {
			"dingtalk:https://oapi.dingtalk.com/robot/send?access_token=XXX", "", time.UnixMilli(1577262236757),
			"https://oapi.dingtalk.com/robot/send?access_token=XXX\n" + `{"msgtype":"text","text":{"content":"HAVIP & more"}}`,
		},
		"feishu": {
			"feishu:https://open.feishu.cn/open-apis/bot/v2/hook/xxx", "demo", time.Unix(1599360473, 0),
			"https://open.feishu.cn/open-apis/bot/v2/hook/xxx\n" +
				`{"content":{"text":"HAVIP & more"},"msg_type":"text","sign":"l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=","timestamp":"1599360473"}`,
		},
		"wecom": {
			"wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=xxx", "", time.Unix(1599360473, 0),
			"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=xxx\n" + `{"msgtype":"text","text":{"content":"HAVIP & more"}}`,
		},
		"slack": {
			"slack:https://hooks.slack.com/services/T/B/X", "", time.Unix(1599360473, 0),
			"https://hooks.slack.com/services/T/B/X\n" + `{"text":"HAVIP &amp; more"}`,
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			<-time.After(time.Until(tt.at))
			c, err := parse(tt.entry)
			if err != nil {
				t.Fatal(err)
			}
			c.secret = tt.secret // that of the sample has spaces, which a list can't have
			r, err := c.request(t.Context(), "HAVIP & more")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if got := r.URL.String() + "\n" + string(body); err != nil || got != tt.want || r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, tt.want)
			}
		})
	}
}

// Taken is what the service itself says was taken. No error shows the address, the
// secret, or what was answered.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		service string
		status  int
		body    string
		want    string // "" for taken
	}{
		"dingtalk":          {"dingtalk", 200, `{"errcode":0,"errmsg":"ok"}`, ""},
		"dingtalk, signed":  {"dingtalk", 200, `{"errcode":310000,"errmsg":"sign not match, hush"}`, "refused it with errcode 310000"},
		"dingtalk, a storm": {"dingtalk", 200, `{"errcode":130101,"errmsg":"send too fast"}`, "errcode 130101"},
		"feishu":            {"feishu", 200, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, ""},
		"feishu, signed":    {"feishu", 200, `{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`, "code 19021"},
		"wecom":             {"wecom", 200, `{"errcode":0,"errmsg":"ok"}`, ""},
		"wecom, no key":     {"wecom", 200, `{"errcode":93000,"errmsg":"invalid webhook url, hint: hush"}`, "errcode 93000"},
		"slack":             {"slack", 200, "ok", ""},
		"slack, no key":     {"slack", 403, "invalid_token hush", "HTTP 403"},
		"a proxy's page":    {"wecom", 200, "<html>log in, hush</html>", "no JSON"},
		"nothing":           {"feishu", 200, "{}", "refused it with code"},
		"a redirect":        {"slack", 302, "hush", "HTTP 302"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/hush")
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		}))
		c, err := parse(tt.service + ":" + s.URL + "/hush")
		if err != nil {
			t.Fatal(err)
		}
		hides(t, name, c.send(t.Context(), "HAVIP"), tt.want)
		s.Close()
		if tt.want == "" {
			hides(t, name, c.send(t.Context(), "HAVIP"), "is not reached")
		}
	}
}

func hides(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil {
		err = errors.New("")
	}
	if got := err.Error(); want == "" && got != "" || !strings.Contains(got, want) || strings.Contains(got, "hush") || strings.Contains(got, "\n") {
		t.Errorf("%s: got %q, want %q", name, got, want)
	}
}

func TestFromEnvironment(t *testing.T) {
	const ding, feishu = "dingtalk:https://d.example/robot?access_token=hush#hush", "feishu:https://f.example/hook/hush"
	for list, want := range map[string]string{
		"":                              "",
		ding + " page:" + feishu:        "",
		ding + ",\n" + feishu:           "",
		ding + " " + ding:               "number 2 of 2: its address stands there twice",
		ding + " page:" + ding:          "stands there twice",
		"https://d.example/hush":        "number 1 of 1: write it as",
		ding + " teams:https://hush/":   "number 2 of 2: write it as",
		"dingtalk:hush":                 "the address of dingtalk can't be read",
		"dingtalk:http://hush/":         "the address of dingtalk can't be read",
		"slack:https://%hush/":          "the address of slack can't be read",
		"slack:https://s.example/#hush": "slack signs nothing",
		"wecom:https://s.example/#hush": "wecom signs nothing",
	} {
		chats, err := FromEnvironment(func(string) string { return list })
		hides(t, list, err, want)
		if want == "" && len(chats) != strings.Count(list, "https") {
			t.Errorf("%d chats of %s", len(chats), list)
		}
		for name := range chats { // it stands in logs, and names a place in a stream
			if text, _ := json.Marshal(name); strings.Contains(name, "hush") || strings.ContainsAny(name, ". ") || len(text) > 24 {
				t.Errorf("a chat is called %s", name)
			}
		}
	}
}
