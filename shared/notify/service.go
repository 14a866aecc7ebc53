package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"havip-functions/events"
	"havip-functions/shared/wire"
)

// service is how one vendor takes a text.
type service struct {
	name string
	body func(text string) map[string]any
	code string // of the answer: 0 means taken; empty where the HTTP status says it
	sign func(secret string, to url.Values, body map[string]any, now time.Time)
}

// services are the vendors'. The texts of WeCom and Slack carry no signature: their key
// is in the address.
var services = []service{
	// https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages
	{name: "dingtalk", body: content, code: "errcode", sign: signDingTalk},
	// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
	{name: "feishu", body: func(text string) map[string]any {
		return map[string]any{"msg_type": "text", "content": map[string]string{"text": text}}
	}, code: "code", sign: signFeishu},
	// https://developer.work.weixin.qq.com/document/path/91770
	{name: "wecom", body: content, code: "errcode"},
	// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, and what
	// is escaped: https://docs.slack.dev/messaging/formatting-message-text
	{name: "slack", body: func(text string) map[string]any {
		return map[string]any{"text": strings.ReplaceAll(text, "&", "&amp;")}
	}},
}

func content(text string) map[string]any {
	return map[string]any{"msgtype": "text", "text": map[string]string{"content": text}}
}

// signDingTalk: HMAC-SHA256 of time and secret by the secret, in the query.
//
// https://open.dingtalk.com/document/orgapp/customize-robot-security-settings
func signDingTalk(secret string, to url.Values, _ map[string]any, now time.Time) {
	at := strconv.FormatInt(now.UnixMilli(), 10)
	to.Set("timestamp", at)
	to.Set("sign", hmacSHA256(secret, at+"\n"+secret))
}

// signFeishu: HMAC-SHA256 of nothing by time and secret, in the body.
//
// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
func signFeishu(secret string, _ url.Values, body map[string]any, now time.Time) {
	at := strconv.FormatInt(now.Unix(), 10)
	body["timestamp"] = at
	body["sign"] = hmacSHA256(at+"\n"+secret, "")
}

func hmacSHA256(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// request is a text as the service wants it now.
func (c *Chat) request(ctx context.Context, text string) (*http.Request, error) {
	to, err := url.Parse(c.address)
	if err != nil { // it was parsed before
		return nil, wire.WithoutURL(err)
	}
	body := c.service.body(text)
	if c.secret != "" {
		query := to.Query()
		c.service.sign(c.secret, query, body, time.Now())
		to.RawQuery = query.Encode()
	}
	encoded, err := events.Encode(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(encoded))
	if err == nil {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return r, err
}

// send returns nil once the service has the text. Its errors tell a code at most: what
// answers instead of the service may repeat the address.
func (c *Chat) send(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := c.request(ctx, text)
	if err != nil {
		return err
	}
	answer, err := wire.WithoutRedirects(c.client).Do(r)
	if err != nil {
		return fmt.Errorf("%s is not reached: %w", c.service.name, wire.WithoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	switch {
	case err != nil:
		return fmt.Errorf("%s answered nothing that can be read: %w", c.service.name, wire.WithoutURL(err))
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answered HTTP %d; check its address in HAVIP_NOTIFY", c.service.name, answer.StatusCode)
	}
	return c.service.judge(said)
}

func (s service) judge(said []byte) error {
	if s.code == "" {
		return nil
	}
	var answer map[string]any
	if err := json.Unmarshal(said, &answer); err != nil {
		return fmt.Errorf("%s answered no JSON; check its address in HAVIP_NOTIFY, and what proxy there is", s.name)
	}
	if code, ok := answer[s.code].(float64); !ok || code != 0 {
		return fmt.Errorf("%s refused it with %s %v; docs/notifications.md lists the codes", s.name, s.code, code)
	}
	return nil
}
