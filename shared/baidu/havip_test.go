package baidu_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/cloudtest"
)

var call = havip.Call{HAVIP: "havip-1", Instance: "i-1", InstanceType: "SERVER", Token: "t1"}

// scripted is a cloud whose answers the test writes; the first GET of a HAVIP and
// the PUTs come to it alike.
func scripted(t *testing.T, answer func(r *http.Request, body string) (int, string)) cloudtest.Cloud {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		status, body := answer(r, string(sent))
		w.Header().Set("X-Bce-Request-Id", "r1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return baidu.New(baidu.Config{Region: "bj", Endpoint: server.URL, Credentials: static(testKeys)})
}

func TestGet(t *testing.T) {
	tests := []struct {
		name, says string
		want       havip.HAVIP
	}{
		{"nobody", `"status":"available"`, havip.HAVIP{Status: havip.Available}},
		{"serving", `"status":"bound","privateIpAddress":"192.168.0.9","subnetId":"sbn-1","bindedInstances":[{"instanceId":"i-1","instanceType":"SERVER"},{"instanceId":"i-2","instanceType":"SERVER","master":true}]`,
			havip.HAVIP{Status: havip.InUse, Address: "192.168.0.9", Network: "sbn-1", Type: "SERVER", Holders: []string{"i-1", "i-2"}, Serving: "i-2", Announcer: "i-2"}},
		{"a new word", `"status":"binding"`, havip.HAVIP{Status: "binding"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := scripted(t, func(r *http.Request, _ string) (int, string) {
				if r.Method != http.MethodGet || r.URL.Path != "/v1/havip/havip-1" {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				return http.StatusOK, `{"haVipId":"havip-1",` + tt.says + `}`
			})
			tt.want.ID = "havip-1"
			if got, err := cloud.Get(t.Context(), "havip-1"); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	var asked string
	cloud := scripted(t, func(r *http.Request, body string) (int, string) {
		q := r.URL.Query()
		asked = fmt.Sprintln(r.Method, r.URL.Path, q.Has("attach"), q.Has("detach"), q.Get("clientToken"), body)
		return http.StatusOK, ""
	})
	const end = ` t1 {"instanceIds":["i-1"],"instanceType":"SERVER"}` + "\n"
	for want, do := range map[string]func(havip.Cloud, context.Context, havip.Call) (havip.Receipt, error){
		"true false": havip.Cloud.Attach, "false true": havip.Cloud.Detach,
	} {
		receipt, err := do(cloud, t.Context(), call)
		if err != nil || receipt.RequestID != "r1" || asked != "PUT /v1/havip/havip-1 "+want+end {
			t.Errorf("got %+v, %v, asked %s", receipt, err, asked)
		}
	}
}

// TestReadBack has the cloud refuse what may be so already.
func TestReadBack(t *testing.T) {
	const (
		holds = `{"haVipId":"havip-1","status":"bound","bindedInstances":[{"instanceId":"i-1"}]}`
		free  = `{"haVipId":"havip-1","status":"available"}`
	)
	attach, detach := havip.Cloud.Attach, havip.Cloud.Detach
	tests := []struct {
		name   string
		do     func(havip.Cloud, context.Context, havip.Call) (havip.Receipt, error)
		status int
		code   string
		then   string
		want   error
		unfit  bool
	}{
		{"attach: so already", attach, 400, "InstanceAlreadyBound", holds, nil, false},
		{"attach: so already, in a new word", attach, 409, "Duplicate", holds, havip.ErrBusy, false},
		{"attach: so already, in a new 400", attach, 400, "Duplicate", holds, nil, false},
		{"attach: not so", attach, 400, "QuotaExceeded", free, havip.ErrRefused, false},
		{"attach: another VPC", attach, 400, "VpcMismatch", free, havip.ErrRefused, true},
		{"attach: the instance is not found", attach, 404, "NoSuchObject", free, havip.ErrRefused, true},
		{"attach: the HAVIP is not found", attach, 404, "NoSuchObject", "", havip.ErrRefused, false},
		{"attach: no permission", attach, 403, "AccessDenied", holds, havip.ErrRefused, false},
		{"detach: so already", detach, 400, "InstanceNotBound", free, nil, false},
		{"detach: not so", detach, 400, "InstanceNotBound", holds, havip.ErrRefused, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := scripted(t, func(r *http.Request, _ string) (int, string) {
				if r.Method == http.MethodGet && tt.then != "" {
					return http.StatusOK, tt.then
				}
				return tt.status, fmt.Sprintf(`{"requestId":"r1","code":%q,"message":"m"}`, tt.code)
			})
			receipt, err := tt.do(cloud, t.Context(), call)
			if !errors.Is(err, tt.want) || (err == nil) != (receipt.RequestID == "r1") {
				t.Fatalf("got %+v, %v, want %v", receipt, err, tt.want)
			}
			var e *havip.Error
			if errors.As(err, &e) && (e.Instance != tt.unfit || e.Code != tt.code || e.Advice == "") {
				t.Errorf("got %+v", *e)
			}
		})
	}
}

// TestReadBackFails leaves open what nobody could read.
func TestReadBackFails(t *testing.T) {
	cloud := scripted(t, func(r *http.Request, _ string) (int, string) {
		if r.Method == http.MethodGet {
			return http.StatusBadGateway, "<html>"
		}
		return http.StatusBadRequest, `{"requestId":"r1","code":"InstanceAlreadyBound","message":"m"}`
	})
	if _, err := cloud.Attach(t.Context(), call); !errors.Is(err, havip.ErrBusy) {
		t.Errorf("got %v, want to look again", err)
	}
}

// TestStates has a list of several pages, with machines that nobody asked for.
func TestStates(t *testing.T) {
	statuses := map[string]string{"i-2": "Stopped", "i-3": "Expired", "i-4": "Recycled", "i-5": "ImageProcessing", "i-6": "Starting", "i-7": "Stopping"}
	var pages []string
	cloud := scripted(t, func(r *http.Request, _ string) (int, string) {
		q := r.URL.Query()
		pages = append(pages, fmt.Sprintf("%s+%d", q.Get("marker"), strings.Count(q.Get("instanceIds"), ",")+1))
		if q.Get("marker") == "" {
			return http.StatusOK, `{"isTruncated":true,"nextMarker":"m2","instances":[{"id":"i-99999","status":"Running"}]}`
		}
		var list []string
		for id := range strings.SplitSeq(q.Get("instanceIds"), ",") {
			status, ok := statuses[id]
			if !ok {
				status = "Running"
			}
			if id != "i-0" {
				list = append(list, fmt.Sprintf(`{"id":%q,"status":%q}`, id, status))
			}
		}
		return http.StatusOK, `{"instances":[` + strings.Join(list, ",") + `]}`
	})
	ids, want := []string{"eni-1"}, map[string]havip.InstanceState{}
	for n := range 150 {
		ids = append(ids, "i-"+strconv.Itoa(n))
		want["i-"+strconv.Itoa(n)] = havip.Running
	}
	maps.Copy(want, map[string]havip.InstanceState{"i-2": havip.Stopped, "i-3": havip.Stopped, "i-4": havip.Deleted, "i-6": havip.Starting, "i-7": havip.Stopping})
	delete(want, "i-0") // it may be a machine of another kind
	delete(want, "i-5") // that tells nothing
	got, err := cloud.States(t.Context(), ids)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if fmt.Sprint(pages) != "[+100 m2+100 +50 m2+50]" {
		t.Errorf("asked for %v", pages)
	}
}

// TestList does not turn in circles with a cloud that does.
func TestList(t *testing.T) {
	calls := 0
	cloud := scripted(t, func(*http.Request, string) (int, string) {
		calls++
		return http.StatusOK, `{"isTruncated":true,"nextMarker":"m2","haVips":[{"haVipId":"havip-1"}]}`
	})
	list, err := cloud.List(t.Context())
	if err != nil || len(list) != 2 || calls != 2 {
		t.Errorf("got %v, %v after %d calls", list, err, calls)
	}
}
