package ingress_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"havip-functions/functions/ingress"
)

const token = "a-token-of-some-length"

func TestFunction(t *testing.T) {
	door := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if deadline, limited := r.Context().Deadline(); !limited || time.Until(deadline) > 5*time.Second {
			t.Error("the answer may take longer than a sender waits")
		}
		w.WriteHeader(http.StatusAccepted)
	})
	for name, tt := range map[string]struct {
		path, header, value, token string
		want                       int
	}{
		"by its path":        {"/events/" + token, "", "", token, 202},
		"a bearer":           {"/events", "Authorization", "Bearer " + token, token, 202},
		"EventBridge":        {"/events", "X-Eventbridge-Signature-Token", token, token, 202},
		"escaped":            {"/events/%61-token-of-some-length", "", "", token, 202},
		"nothing":            {"/events", "", "", token, 401},
		"an empty path":      {"/events/", "", "", token, 401},
		"a longer one":       {"/events/" + token + "x", "", "", token, 401},
		"a shorter one":      {"/events/" + token[1:], "", "", token, 401},
		"another scheme":     {"/events", "Authorization", "Basic " + token, token, 401},
		"no token of ours":   {"/events", "Authorization", "Bearer ", "", 401},
		"a path below":       {"/events/" + token + "/more", "", "", token, 404},
		"a forged invoke":    {"/invoke", "Authorization", "Bearer " + token, token, 404},
		"a forged start":     {"/initialize", "", "", token, 404},
		"something of ours?": {"/eventsx", "Authorization", "Bearer " + token, token, 404},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, tt.path, nil)
			r.Header.Set(tt.header, tt.value)
			w := httptest.NewRecorder()
			ingress.Function{Token: tt.token, Door: door}.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("got %d, want %d", w.Code, tt.want)
			}
		})
	}
}

func ExampleFunction() {
	taken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	w := httptest.NewRecorder()
	ingress.Function{Token: token, Door: taken}.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/events/"+token, nil))
	fmt.Println(w.Code)
	// Output: 202
}
