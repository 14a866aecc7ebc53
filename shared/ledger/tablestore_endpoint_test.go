package ledger

import (
	"net/url"
	"testing"
)

func TestTablestoreEndpoint(t *testing.T) {
	for query, want := range map[string]string{
		"":                                      "https://i-1.cn-hangzhou.ots-internal.aliyuncs.com",
		"?region=cn-beijing":                    "https://i-1.cn-beijing.ots.aliyuncs.com",
		"?endpoint=http://127.0.0.1:1&region=x": "http://127.0.0.1:1",
	} {
		u, err := url.Parse("tablestore://i-1/t" + query)
		if err != nil {
			t.Fatal(err)
		}
		if got := tablestoreEndpoint(u, "cn-hangzhou"); got != want {
			t.Errorf("%q is reached at %s, want %s", query, got, want)
		}
	}
}
