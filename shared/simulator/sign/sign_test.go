package sign

import (
	"net/http/httptest"
	"testing"
)

func TestPublishedVectorOfACS3(t *testing.T) {
	r := httptest.NewRequest("POST", "/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", nil)
	r.Host = "ecs.cn-shanghai.aliyuncs.com"
	for k, v := range map[string]string{
		"x-acs-action": "RunInstances", "x-acs-date": "2023-10-26T10:22:32Z", "x-acs-version": "2014-05-26",
		"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
		"x-acs-content-sha256":  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	} {
		r.Header.Set(k, v)
	}
	h := ACS3{Signed: []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}}
	got, _ := h.Sign(r, "YourAccessKeySecret")
	if want := "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"; got != want {
		t.Errorf("signature is %s, want %s", got, want)
	}
}

func TestBCEAcceptsEscapesInEitherCase(t *testing.T) {
	r := httptest.NewRequest("GET", "/v1/havip/havip-1?marker=a%2Fb", nil)
	r.Header.Set("X-Bce-Date", "2026-11-21T22:52:11Z")
	h, ok := ParseBCE("bce-auth-v1/testak/2026-11-21T22:52:11Z/1800/host;x-bce-date/472002")
	if !ok {
		t.Fatal("the header was not understood")
	}
	for _, digits := range []string{upperHex, lowerHex} {
		h.signature = h.sign(r, "testsk", digits)
		if !h.Matches(r, "testsk") || h.Matches(r, "other") {
			t.Errorf("digits %s: the right secret fails or a wrong one serves", digits)
		}
	}
}

func TestSortedQueryGoesByName(t *testing.T) {
	got := sortedQuery(map[string]string{"A": "1", "A.1": "a b*~", "B": ""})
	if want := "A=1&A.1=a%20b%2A~&B="; got != want {
		t.Errorf("query is %s, want %s", got, want)
	}
}
