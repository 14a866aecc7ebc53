package pace

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/cloudtest"
)

// stack is a transport that notes who called it, from the outside in.
type stack []string

func (s *stack) RoundTrip(*http.Request) (*http.Response, error) {
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		*s = append(*s, f.Function)
	}
	slices.Reverse(*s)
	return nil, errors.New("not reached")
}

// hops are the packages of our frames between a test and the SDK: the pace, the
// reading back, the cloud's call, the wire around it, and what it tells the SDK.
func (s stack) hops() []string {
	const ours = "havip-functions/shared/"
	first := slices.IndexFunc(s, func(f string) bool { return strings.HasPrefix(f, ours) && !strings.Contains(f, "Test") })
	var hops []string
	for _, f := range s[max(first, 0):] {
		name, found := strings.CutPrefix(f, ours)
		if !found {
			break
		}
		name, _, _ = strings.Cut(name, ".")
		hops = append(hops, name)
	}
	return hops
}

// TestHops keeps the way of a change to the SDK short enough to be read.
func TestHops(t *testing.T) {
	keys := func(context.Context) (havip.Credentials, error) {
		return havip.Credentials{AccessKeyID: "ak", AccessKeySecret: "sk"}, nil
	}
	for cloud, test := range map[string]struct {
		open func(*stack) cloudtest.Cloud
		want []string
	}{
		"alibaba": {
			func(s *stack) cloudtest.Cloud {
				return alibaba.New(alibaba.Config{Region: "cn-hangzhou", Transport: s, Credentials: keys})
			},
			[]string{"havip/pace", "wire", "alibaba", "wire", "alibaba"},
		},
		"baidu": {
			func(s *stack) cloudtest.Cloud {
				return baidu.New(baidu.Config{Region: "bj", Transport: s, Credentials: keys})
			},
			[]string{"havip/pace", "wire", "baidu", "wire", "baidu"},
		},
	} {
		var seen stack
		opened := new(Pacer).Clouds(func(context.Context, havip.Policy, string) (havip.Cloud, havip.Fleet, error) {
			c := test.open(&seen)
			return c, c, nil
		})
		c, _, err := opened(t.Context(), havip.Policy{Cloud: cloud, Region: "r"}, "s")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Attach(t.Context(), havip.Call{HAVIP: "havip-1", Instance: "i-1"}); !errors.Is(err, havip.ErrBusy) {
			t.Errorf("%s: got %v", cloud, err)
		}
		if got := seen.hops(); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", cloud, got, test.want)
		}
	}
}
