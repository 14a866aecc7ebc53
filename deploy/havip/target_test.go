package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"havip-functions/shared/roster"
)

func TestRecoverOnFunctionCompute(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.yaml")
	if err := os.WriteFile(path, roster.Builtin(), 0o600); err != nil {
		t.Fatal(err)
	}
	var asked, body string
	fc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		asked, body = r.Method+" "+r.URL.Path+" "+r.Header.Get("x-fc-invocation-type"), string(text)
		if !strings.HasPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 Credential=testak,") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer fc.Close()
	t.Setenv("HAVIP_FC_ENDPOINT", fc.URL)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "testak")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsk")
	for name, tt := range map[string]struct {
		args []string
		code int
	}{
		"taken":           {[]string{"orders-db", "--target", "fc:cn-hangzhou"}, exitGood},
		"another name":    {[]string{"orders-db", "--target", "fc:cn-hangzhou/db-by-hand"}, exitGood},
		"no name":         {[]string{"orders-db", "--target", "fc:cn-hangzhou/"}, exitUsage},
		"a forged name":   {[]string{"orders-db", "--target", "fc:cn-hangzhou/a/../b"}, exitUsage},
		"by its id":       {[]string{"havip-w2d4", "--target", "fc:cn-hangzhou"}, exitGood},
		"not rostered":    {[]string{"nobody", "--target", "fc:cn-hangzhou"}, exitUsage},
		"another host":    {[]string{"orders-db", "--target", "http:eu-west-1"}, exitUsage},
		"a forged region": {[]string{"orders-db", "--target", "fc:evil.example/x"}, exitUsage},
		"with a wait":     {[]string{"orders-db", "--target", "fc:cn-hangzhou", "--wait"}, exitUsage},
	} {
		asked, body = "", ""
		args := append([]string{"recover", "--reason", "drill", "--roster", path}, tt.args...)
		if code := run(t.Context(), args); code != tt.code {
			t.Errorf("%s: exit code %d, want %d", name, code, tt.code)
		}
		function := "havip-recover"
		if name == "another name" {
			function = "db-by-hand"
		}
		if sent := asked == "POST /2023-03-30/functions/"+function+"/invocations Async"; sent != (tt.code == exitGood) {
			t.Errorf("%s: asked %q", name, asked)
		}
		var e struct {
			Type string
			Data struct{ Cloud, Region, HAVIP, Reason string }
		}
		if tt.code == exitGood && (json.Unmarshal([]byte(body), &e) != nil || e.Type != "havip.recover" || e.Data.Reason != "drill" || !strings.HasPrefix(e.Data.HAVIP, "havip-")) {
			t.Errorf("%s: sent %s", name, body)
		}
	}
	fc.Close()
	if code := run(t.Context(), []string{"recover", "orders-db", "--reason", "drill", "--roster", path, "--target", "fc:cn-hangzhou"}); code != exitNoServer {
		t.Errorf("nobody there: exit code %d, want %d", code, exitNoServer)
	}
}

func TestRecoverOnLambda(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.yaml")
	if err := os.WriteFile(path, roster.Builtin(), 0o600); err != nil {
		t.Fatal(err)
	}
	var asked, body string
	lambda := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		asked, body = r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Amz-Invocation-Type"), string(text)
		by := r.Header.Get("Authorization")
		if !strings.HasPrefix(by, "AWS4-HMAC-SHA256 Credential=testak/") || !strings.Contains(by, "/eu-west-1/lambda/aws4_request") || strings.Contains(r.URL.Path, "nobodys") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer lambda.Close()
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA", lambda.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "testak")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "testsk")
	for target, tt := range map[string]struct {
		function string
		code     int
	}{
		"lambda:eu-west-1":            {"havip-recover", exitGood},
		"lambda:eu-west-1/db-by-hand": {"db-by-hand", exitGood},
		"lambda:eu-west-1/nobodys":    {"nobodys", exitNoServer},
		"lambda:evil.example/x":       {"", exitUsage},
	} {
		asked, body = "", ""
		if code := run(t.Context(), []string{"recover", "orders-db", "--reason", "drill", "--roster", path, "--target", target}); code != tt.code {
			t.Errorf("%s: exit code %d, want %d", target, code, tt.code)
		}
		want := "POST /2015-03-31/functions/" + tt.function + "/invocations Event"
		if tt.function == "" {
			want = ""
		}
		var e struct {
			Type string
			Data struct{ HAVIP, Reason string }
		}
		if asked != want || want != "" && (json.Unmarshal([]byte(body), &e) != nil || e.Type != "havip.recover" || e.Data.Reason != "drill" || e.Data.HAVIP != "havip-bp1orders") {
			t.Errorf("%s: asked %q with %s, want %q", target, asked, body, want)
		}
	}
}
