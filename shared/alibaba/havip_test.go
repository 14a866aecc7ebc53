package alibaba_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/cloudtest"
)

var (
	keys = havip.Credentials{AccessKeyID: "ak", AccessKeySecret: "sk"}
	call = havip.Call{HAVIP: "havip-1", Instance: "i-1", InstanceType: "EcsInstance", Token: "t1"}
)

// request is what the cloud was asked.
type request struct{ url.Values }

// scripted is a cloud whose answers the test writes.
func scripted(t *testing.T, answer func(request) (int, string)) cloudtest.Cloud {
	t.Helper()
	return alibaba.New(alibaba.Config{Region: "cn-hangzhou", Endpoint: listen(t, answer), Credentials: static(keys)})
}

func listen(t *testing.T, answer func(request) (int, string)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		status, body := answer(request{r.Form})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func describe(havips ...string) string {
	return fmt.Sprintf(`{"RequestId":"r0","TotalCount":%d,"HaVips":{"HaVip":[%s]}}`, len(havips), strings.Join(havips, ","))
}

func TestGet(t *testing.T) {
	tests := []struct {
		name, says string
		want       havip.HAVIP
	}{
		{"nobody", `"Status":"Available"`, havip.HAVIP{Status: havip.Available}},
		{"serving", `"Status":"InUse","IpAddress":"10.0.0.9","VSwitchId":"vsw-1","AssociatedInstanceType":"EcsInstance","MasterInstanceId":"i-2","AssociatedInstances":{"associatedInstance":["i-1","i-2"]}`,
			havip.HAVIP{Status: havip.InUse, Address: "10.0.0.9", Network: "vsw-1", Type: "EcsInstance", Holders: []string{"i-1", "i-2"}, Serving: "i-2", Announcer: "i-2"}},
		{"a stranger", `"Status":"InUse","MasterInstanceId":"i-9","AssociatedInstances":{"associatedInstance":["i-1"]}`,
			havip.HAVIP{Status: havip.InUse, Holders: []string{"i-1"}, Announcer: "i-9"}},
		{"a new word", `"Status":"Migrating"`, havip.HAVIP{Status: "Migrating"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := scripted(t, func(q request) (int, string) {
				if q.Get("Filter.1.Key") != "HaVipId" || q.Get("Filter.1.Value.1") != "havip-1" || q.Get("RegionId") != "cn-hangzhou" {
					t.Errorf("asked %v", q.Values)
				}
				return http.StatusOK, describe(`{"HaVipId":"havip-10"}`, `{"HaVipId":"havip-1",`+tt.says+`}`)
			})
			tt.want.ID, tt.want.Guards = "havip-1", true
			if got, err := cloud.Get(t.Context(), "havip-1"); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestGetUnknown(t *testing.T) {
	cloud := scripted(t, func(request) (int, string) { return http.StatusOK, describe() })
	_, err := cloud.Get(t.Context(), "havip-1")
	var e *havip.Error
	if !errors.As(err, &e) || !errors.Is(err, havip.ErrRefused) || e.Code != "InvalidHaVipId.NotFound" || e.RequestID != "r0" || e.Op != "DescribeHaVips" {
		t.Errorf("got %v", err)
	}
}

// TestReadBack has the cloud refuse what may be so already.
func TestReadBack(t *testing.T) {
	const (
		holds   = `{"HaVipId":"havip-1","Status":"InUse","AssociatedInstances":{"associatedInstance":["i-1"]}}`
		free    = `{"HaVipId":"havip-1","Status":"Available"}`
		pending = `{"HaVipId":"havip-1","Status":"Associating"}`
	)
	attach, detach := havip.Cloud.Attach, havip.Cloud.Detach
	tests := []struct {
		name string
		do   func(havip.Cloud, context.Context, havip.Call) (havip.Receipt, error)
		code string
		then string
		want error
	}{
		{"attach: so already", attach, "InvalidHaVip.Exist", describe(holds), nil},
		{"attach: full, by itself among others", attach, "QuotaExceeded.HaVipBindInstance", describe(holds), nil},
		{"attach: not shown", attach, "InvalidHaVip.Exist", describe(free), havip.ErrRefused},
		{"attach: not shown yet", attach, "InvalidHaVip.Exist", describe(pending), havip.ErrBusy},
		{"attach: havip gone", attach, "InvalidHaVip.Exist", describe(), havip.ErrRefused},
		{"attach: no answer", attach, "InvalidHaVip.Exist", "", havip.ErrBusy},
		{"attach: another refusal", attach, "Forbidden.HaVip", describe(holds), havip.ErrRefused},
		{"detach: so already", detach, "ResourceNotAssociated", describe(free), nil},
		{"detach: not shown", detach, "ResourceNotAssociated", describe(holds), havip.ErrRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := scripted(t, func(q request) (int, string) {
				if q.Get("Action") == "DescribeHaVips" {
					return http.StatusOK, tt.then
				}
				return http.StatusBadRequest, fmt.Sprintf(`{"RequestId":"r1","Code":%q}`, tt.code)
			})
			receipt, err := tt.do(cloud, t.Context(), call)
			if !errors.Is(err, tt.want) || (err == nil) != (receipt.RequestID == "r1") {
				t.Errorf("got %+v, %v, want %v", receipt, err, tt.want)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	var asked request
	cloud := scripted(t, func(q request) (int, string) {
		asked = q
		return http.StatusOK, `{"RequestId":"r1"}`
	})
	force := call
	force.Force = true
	if _, err := cloud.Detach(t.Context(), force); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Action": "UnassociateHaVip", "HaVipId": "havip-1", "InstanceId": "i-1", "InstanceType": "EcsInstance", "ClientToken": "t1", "Force": "True", "RegionId": "cn-hangzhou", "AccessKeyId": "ak"}
	for k, v := range want {
		if asked.Get(k) != v {
			t.Errorf("%s is %q, want %q", k, asked.Get(k), v)
		}
	}
	if _, err := cloud.Attach(t.Context(), force); err != nil || asked.Get("Action") != "AssociateHaVip" || asked.Has("Force") {
		t.Errorf("attach asked %v, %v", asked.Values, err)
	}
}
