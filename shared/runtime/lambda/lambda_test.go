package lambda_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/runtime/lambda"
	"havip-functions/shared/runtime/runtimetest"
)

// TestMain runs the tests, or is the function that TestStart starts.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(context.Background(), runtimetest.Scripted, runtimetest.Quiet())
		return
	}
	os.Exit(m.Run())
}

// TestStart runs this test binary as Lambda runs a bootstrap: a process of its
// own, with aws-lambda-go's loop, against a runtime API.
func TestStart(t *testing.T) {
	record := func(id, body string) string {
		return fmt.Sprintf(`{"messageId":%q,"body":%q,"eventSource":"aws:sqs"}`, id, body)
	}
	batch := func(records ...string) string { return `{"Records":[` + strings.Join(records, ",") + `]}` }
	tests := []struct{ name, payload, verb, want string }{
		{"success", `{}`, "response", ""},
		{"error", `fail`, "error", `"errorMessage":"broken\nin two lines"`},
		{"what Lambda said", `call`, "error", `id=r2 region=eu-west-1 account=123456789012 function=havip-sweep retry=0 key= token= bounded=true`},
		{"panic", `panic`, "error", `the function panicked: boom`},
		{"a whole batch", batch(record("m1", "{}")), "response", `{"batchItemFailures":[]}`},
		{"part of a batch", batch(record("m1", "{}"), record("m2", "fail"), record("m3", "panic"), record("m4", "{}")), "response",
			`{"batchItemFailures":[{"itemIdentifier":"m2"},{"itemIdentifier":"m3"}]}`},
		{"records of others", `{"Records":[{"eventSource":"aws:s3","body":"fail"}]}`, "response", ""},
		{"EventBridge", `{"version":"0","source":"com.example","detail-type":"havip.sweep","detail":{}}`, "response", ""},
		{"out of time", batch(record("m1", "wait"), record("m2", "{}")), "response",
			`{"batchItemFailures":[{"itemIdentifier":"m1"},{"itemIdentifier":"m2"}]}`},
	}
	payloads := make([]string, len(tests))
	for i, tt := range tests {
		payloads[i] = tt.payload
	}
	answers := lambdaAPI(t, payloads)
	for i, tt := range tests {
		select {
		case got := <-answers:
			if want := fmt.Sprintf("r%d/%s", i, tt.verb); got.path != want || !strings.Contains(got.body, tt.want) {
				t.Errorf("%s: got %+v, want %s %s", tt.name, got, want, tt.want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: no answer", tt.name)
		}
	}
}

// A context without a deadline, as a local tool may give, leaves all its time.
func TestHandlerWithoutDeadline(t *testing.T) {
	batch := `{"Records":[{"messageId":"m1","eventSource":"aws:sqs","body":"{}"}]}`
	said, err := lambda.Handler(runtimetest.Scripted, runtimetest.Quiet()).Invoke(context.Background(), []byte(batch))
	if err != nil || string(said) != `{"batchItemFailures":[]}` {
		t.Errorf("got %s, %v", said, err)
	}
}

type answer struct{ path, body string }

// lambdaAPI starts a runtime API and a process that serves it.
func lambdaAPI(t *testing.T, payloads []string) <-chan answer {
	t.Helper()
	answers := make(chan answer, len(payloads))
	n := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if n == len(payloads) {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("r%d", n))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(2*time.Second).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:havip-sweep")
		io.WriteString(w, payloads[n])
		n++
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{verb}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answers <- answer{r.PathValue("id") + "/" + r.PathValue("verb"), string(body)}
		w.WriteHeader(http.StatusAccepted)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	function := exec.CommandContext(t.Context(), os.Args[0])
	function.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(s.URL, "http://"))
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		function.Process.Kill()
		function.Wait()
	})
	return answers
}
