package alibaba

import (
	"net/http"
	"strings"
	"testing"

	"havip-functions/shared/havip"
)

const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Signatures that we did not make: the vendor's page and the vendor's own SDK.
func TestAuthorization(t *testing.T) {
	for name, tt := range map[string]struct {
		url         string
		headers     map[string]string
		credentials havip.Credentials
		want        string
	}{
		"published": {
			"https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
			map[string]string{
				"x-acs-action": "RunInstances", "x-acs-content-sha256": emptySum, "x-acs-date": "2023-10-26T10:22:32Z",
				"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d", "x-acs-version": "2014-05-26",
			},
			havip.Credentials{AccessKeyID: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret"},
			"06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
		},
		"captured": {
			"http://127.0.0.1:18082/?ClientToken=tok-1&HaVipId=havip-1&InstanceId=i-1&InstanceType=EcsInstance&RegionId=cn-beijing",
			map[string]string{
				"x-acs-version": "2016-04-28", "x-acs-action": "AssociateHaVip", "x-acs-date": "2026-11-21T22:48:43Z",
				"x-acs-signature-nonce":      "8e9106efce7ee9db9df7d90d2807182d9fa33832930327da5a4d3fdd61717b2d",
				"x-acs-content-sha256":       emptySum,
				"x-acs-credentials-provider": "static_ak",
				"x-fc-invocation-type":       "Async", // stays unsigned
			},
			havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"},
			"689b58b957bdf6d263d821bbc4dea66b0d508aaac27260986859284bb22dfb00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range tt.headers {
				r.Header.Set(k, v)
			}
			got := authorization(r, tt.credentials)
			if !strings.HasPrefix(got, "ACS3-HMAC-SHA256 Credential="+tt.credentials.AccessKeyID+",SignedHeaders=host;x-acs-") ||
				!strings.HasSuffix(got, ",Signature="+tt.want) {
				t.Errorf("got %s, want the signature %s", got, tt.want)
			}
		})
	}
}

func TestCanonicalQuery(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://h/?b=a+b*&a=~%2F&empty", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := canonicalQuery(r), "a=~%2F&b=a%20b%2A&empty="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
