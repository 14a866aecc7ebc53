package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/wire"
)

func TestWithoutRedirects(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	given := &http.Client{Timeout: time.Minute}
	for _, c := range []*http.Client{nil, given} {
		calls = 0
		answer, err := wire.WithoutRedirects(c).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusTemporaryRedirect || calls != 1 {
			t.Errorf("got %s after %d calls", answer.Status, calls)
		}
	}
	if wire.WithoutRedirects(given).Timeout != time.Minute {
		t.Error("the client's own time-out is lost")
	}
	if http.DefaultClient.CheckRedirect != nil || given.CheckRedirect != nil {
		t.Error("the client itself was changed")
	}
}

func TestWithoutURL(t *testing.T) {
	_, err := wire.WithoutRedirects(nil).Get("http://127.0.0.1:1/" + token)
	got := wire.WithoutURL(fmt.Errorf("SDK: %w", err))
	if err == nil || !strings.Contains(got.Error(), "connection refused") || strings.Contains(got.Error(), token) {
		t.Errorf("got %v of %v", got, err)
	}
	if other := errors.New("other"); !errors.Is(wire.WithoutURL(other), other) || wire.WithoutURL(nil) != nil {
		t.Error("it changes what holds no URL")
	}
}
