package ledger_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

// The keys are asked for at each call, so that those of a role may change.
func TestTablestoreKeysChange(t *testing.T) {
	t.Parallel()
	s, now := ledgertest.NewTablestore(t, owner), owner
	l, err := ledger.OpenTablestore(t.Context(), s.Address(), "", func(context.Context) (havip.Credentials, error) { return now, nil })
	if err != nil {
		t.Fatal(err)
	}
	next := havip.Credentials{AccessKeyID: "STS.next", AccessKeySecret: "next", SecurityToken: "next"}
	s.Know(next)
	if _, _, err := l.Load(t.Context(), "baidu.bj.havip-1"); err == nil || !strings.Contains(err.Error(), "OTSAuthFailed") {
		t.Errorf("with old keys: %v", err)
	}
	now = next
	if _, err := l.Save(t.Context(), "baidu.bj.havip-1", []byte("{}"), 0); err != nil {
		t.Errorf("with new ones: %v", err)
	}
}

// What Tablestore answers, in our kinds.
func TestTablestoreKinds(t *testing.T) {
	t.Parallel()
	for code, tt := range map[string]struct {
		status int
		want   error // nil: none of ours
	}{
		"OTSServerBusy":            {http.StatusServiceUnavailable, ledger.ErrSlow},
		"OTSRowOperationConflict":  {http.StatusConflict, ledger.ErrSlow},
		"OTSTimeout":               {http.StatusServiceUnavailable, ledger.ErrSlow},
		"OTSNotEnoughCapacityUnit": {http.StatusForbidden, ledger.ErrSlow},
		"OTSNewToUs":               {http.StatusInternalServerError, ledger.ErrSlow},
		"OTSObjectNotExist":        {http.StatusNotFound, ledger.ErrGone},
		"OTSConditionCheckFail":    {http.StatusForbidden, havip.ErrConflict},
		"OTSAuthFailed":            {http.StatusForbidden, nil},
		"OTSParameterInvalid":      {http.StatusBadRequest, nil},
	} {
		t.Run(code, func(t *testing.T) {
			l := tablestoreAt(t, func(op string) ledgertest.Fault {
				if op != "PutRow" { // a failed condition is looked at
					return ledgertest.Fault{}
				}
				return ledgertest.Fault{Status: tt.status, Code: code}
			})
			_, err := l.Save(t.Context(), "baidu.bj.havip-1", []byte("{}"), 0)
			for _, kind := range []error{ledger.ErrSlow, ledger.ErrGone, ledger.ErrFull, ledger.ErrNotFound, havip.ErrConflict} {
				if errors.Is(err, kind) != errors.Is(tt.want, kind) {
					t.Errorf("%v, want %v", err, tt.want)
				}
			}
			if err == nil || tt.want == nil && !strings.Contains(err.Error(), code) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestOpenTablestore(t *testing.T) {
	t.Parallel()
	s := ledgertest.NewTablestore(t, owner)
	for address, want := range map[string]string{
		"tablestore://havip-functions/havip_ledger":                                   "no region is known",
		"tablestore://havip-functions/another?endpoint=http://" + s.Host:              "deploy/alibaba/rules.tf makes it",
		"tablestore://havip-functions/havip_ledger_history?endpoint=http://" + s.Host: "havip_ledger_history_history",
		"tablestore://havip-another/havip_ledger?endpoint=http://" + s.Host:           "The instance is not found",
		"tablestore://havip-functions/havip_ledger?endpoint=http://[::1]:1":           "can't be reached",
		"tablestore://havip-functions":                                                "not an address",
		"tablestore://havip-functions/havip-ledger?region=cn-hangzhou":                "not an address",
		"tablestore://havip-functions/1ledger?region=cn-hangzhou":                     "not an address",
		"tablestore://-x/havip_ledger?region=cn-hangzhou":                             "not an address",
		"tablestore://a-name-of-17-chars/havip_ledger?region=cn-hangzhou":             "not an address",
		"tablestore://havip/" + strings.Repeat("a", 248) + "?region=cn-hangzhou":      "not an address",
		"tablestore://u:a-password@havip-functions/havip_ledger?region=cn-hangzhou":   "not an address",
		"dynamodb://havip-functions/havip_ledger":                                     "not an address",
	} {
		_, err := ledger.OpenTablestore(t.Context(), address, "", func(context.Context) (havip.Credentials, error) { return owner, nil })
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "a-password") || strings.Contains(err.Error(), "testsk") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

// A function may start before its first call brings keys.
func TestOpenTablestoreWithoutKeys(t *testing.T) {
	t.Parallel()
	s, known := ledgertest.NewTablestore(t, owner), errors.New("no call has come yet")
	l, err := ledger.OpenTablestore(t.Context(), s.Address(), "", func(context.Context) (havip.Credentials, error) { return owner, known })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Now(t.Context()); err == nil {
		t.Error("it answers nobody")
	}
	known = nil
	if _, err := l.Now(t.Context()); err != nil {
		t.Error(err)
	}
}
