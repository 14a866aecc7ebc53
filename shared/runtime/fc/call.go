package fc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
)

// callOf reads what Function Compute says of a call in its headers.
func callOf(h http.Header) runtime.Call {
	retry, err := strconv.Atoi(h.Get("x-fc-retry-count"))
	if err != nil {
		retry = 0 // a first try carries no count
	}
	return runtime.Call{
		RequestID: h.Get("x-fc-request-id"),
		Region:    h.Get("x-fc-region"),
		AccountID: h.Get("x-fc-account-id"),
		Function:  h.Get("x-fc-function-name"),
		Retry:     retry,
		Credentials: havip.Credentials{
			AccessKeyID:     h.Get("x-fc-access-key-id"),
			AccessKeySecret: h.Get("x-fc-access-key-secret"),
			SecurityToken:   h.Get("x-fc-security-token"),
		},
		Deadline: deadline(h, time.Now()),
	}
}

// deadline is the moment that the go1 runtime names, else the function's
// time-out from now; either with the margin off.
func deadline(h http.Header, now time.Time) time.Time {
	if ms, err := strconv.ParseInt(h.Get("x-fc-function-deadline"), 10, 64); err == nil && ms > 0 {
		return runtime.AnswerBy(time.UnixMilli(ms), now)
	}
	s, err := strconv.Atoi(h.Get("x-fc-function-timeout"))
	if err != nil || s <= 0 {
		return time.Time{}
	}
	return runtime.AnswerBy(now.Add(time.Duration(s)*time.Second), now)
}

// failure is one line of JSON in the form of FC's own runtimes.
func failure(err error) []byte {
	body, err := json.Marshal(map[string]string{
		"errorMessage": strings.Join(strings.Fields(err.Error()), " "),
		"errorType":    errorType(err),
	})
	if err != nil {
		return fmt.Appendf(nil, `{"errorMessage":"the error could not be written","errorType":"Error"}`)
	}
	return body
}

// errorType is the word that an operator can filter failures by.
func errorType(err error) string {
	var p runtime.Panicked
	switch {
	case errors.As(err, &p):
		return "Panic"
	case errors.Is(err, context.DeadlineExceeded):
		return "Timeout"
	case errors.Is(err, havip.ErrBusy):
		return "Busy"
	case errors.Is(err, havip.ErrRefused):
		return "Refused"
	default:
		return "Error"
	}
}
