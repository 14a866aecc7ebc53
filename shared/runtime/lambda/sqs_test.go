package lambda_test

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/runtime/lambda"
	"havip-functions/shared/runtime/runtimetest"
)

type sqsMessage struct {
	QueueURL     string `json:"QueueUrl"`
	MessageBody  string
	DelaySeconds int
}

// newSQS points the AWS SDK, by its own environment, at a local SQS that keeps
// its messages, or refuses them with the code.
func newSQS(t *testing.T, refuse string) (lambda.SQS, *[]sqsMessage) {
	t.Helper()
	var kept []sqsMessage
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m sqsMessage
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" {
			t.Errorf("not a SendMessage: %s %v", r.Header.Get("X-Amz-Target"), err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if refuse != "" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"com.amazonaws.sqs#%s","message":"no"}`, refuse)
			return
		}
		kept = append(kept, m)
		fmt.Fprintf(w, `{"MessageId":"m1","MD5OfMessageBody":"%x"}`, md5.Sum([]byte(m.MessageBody)))
	}))
	t.Cleanup(s.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "testak", "AWS_SECRET_ACCESS_KEY": "a-secret",
	} {
		t.Setenv(name, value)
	}
	q, err := lambda.NewSQS(s.URL + "/123456789012/havip-follow-ups")
	if err != nil {
		t.Fatal(err)
	}
	return q, &kept
}

func TestSQSPublishes(t *testing.T) {
	q, kept := newSQS(t, "")
	for name, tt := range map[string]struct {
		after time.Duration
		want  int
	}{
		"now":      {0, 0},
		"past":     {-time.Hour, 0},
		"soon":     {90*time.Second + 900*time.Millisecond, 91},
		"too late": {time.Hour, 900},
	} {
		t.Run(name, func(t *testing.T) {
			if err := q.Publish(t.Context(), runtimetest.StatusCheck(t), tt.after); err != nil {
				t.Fatal(err)
			}
			got := (*kept)[len(*kept)-1]
			if got.DelaySeconds != tt.want || got.QueueURL != q.QueueURL || !strings.Contains(got.MessageBody, `"id":"check-1"`) || !strings.Contains(got.MessageBody, "<&>") {
				t.Errorf("got %+v, want a delay of %d", got, tt.want)
			}
		})
	}
}

func TestSQSNamesARefusal(t *testing.T) {
	q, _ := newSQS(t, "QueueDoesNotExist")
	err := q.Publish(t.Context(), runtimetest.StatusCheck(t), 0)
	if err == nil || !strings.Contains(err.Error(), "check-1") || !strings.Contains(err.Error(), "QueueDoesNotExist") ||
		strings.Contains(err.Error(), "a-secret") {
		t.Errorf("got %v", err)
	}
}
