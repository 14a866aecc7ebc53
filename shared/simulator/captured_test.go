package simulator

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/simulator/worldfile"
)

// Captured from clients that we did not write; the vendors' pages stand in package sign.
const (
	capturedACS3 = `POST /?ClientToken=tok-1&HaVipId=havip-1&InstanceId=i-1&InstanceType=EcsInstance&RegionId=cn-beijing HTTP/1.1
host: 127.0.0.1:18082
x-acs-version: 2016-04-28
x-acs-action: AssociateHaVip
x-acs-date: 2026-11-21T22:48:43Z
x-acs-signature-nonce: 8e9106efce7ee9db9df7d90d2807182d9fa33832930327da5a4d3fdd61717b2d
x-acs-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-acs-credentials-provider: static_ak
Authorization: ACS3-HMAC-SHA256 Credential=testak,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=689b58b957bdf6d263d821bbc4dea66b0d508aaac27260986859284bb22dfb00

`
	capturedV1Form = `POST / HTTP/1.1
Host: 127.0.0.1:18082
Content-Length: 336
content-type: application/x-www-form-urlencoded

AccessKeyId=testak&Action=AssociateHaVip&ClientToken=tok-1&Format=JSON&HaVipId=havip-1&InstanceId=i-1&InstanceType=EcsInstance&RegionId=cn-beijing&SignatureMethod=HMAC-SHA1&SignatureNonce=9cce499c23e8851b8e622fa095efba4f&SignatureVersion=1.0&Timestamp=2026-11-21T22%3A48%3A43Z&Version=2016-04-28&Signature=lKAbHPAPbl6Kx267hQ76QrEKB9A%3D`
	capturedV1Query = `POST /?AccessKeyId=testak&Action=AssociateHaVip&ClientToken=tok-1&Format=JSON&HaVipId=havip-1&InstanceId=i-1&InstanceType=EcsInstance&RegionId=cn-beijing&Signature=M3gSg%2FcneebnjNZFQhqJvSC%2FDbU%3D&SignatureMethod=HMAC-SHA1&SignatureNonce=885cdbd29305ab835040399ed7d46982&SignatureType=&SignatureVersion=1.0&Timestamp=2026-11-21T22%3A45%3A53Z&Version=2016-04-28 HTTP/1.1
Host: 127.0.0.1:18082
Content-Type: application/x-www-form-urlencoded

`
	capturedPut = `PUT /v1/havip/havip-1?attach&clientToken=tok-1 HTTP/1.1
Host: 127.0.0.1:18085
Content-Length: 47
Content-Md5: D333kxsxKh0S73DIHkkakQ==
Content-Type: application/json;charset=utf-8
x-bce-date: 2026-11-21T22:52:11Z
Authorization: bce-auth-v1/testak/2026-11-21T22:52:11Z/1800/content-length;content-md5;content-type;host;x-bce-date/0dee8cba41abd0693842f34afafa184ce14859b6c8c3699a299cbf673f3dcd29

{"instanceIds":["i-1"],"instanceType":"SERVER"}`
	capturedGet = `GET /v1/havip/havip-1 HTTP/1.1
Host: 127.0.0.1:18085
Content-Type: application/json;charset=utf-8
x-bce-date: 2026-11-21T22:52:11Z
Authorization: bce-auth-v1/testak/2026-11-21T22:52:11Z/1800/content-type;host;x-bce-date/472002587c68ab571b042e3718d8bec41a1960123ca646814a1f278f65cb5d17

`
)

func captured(t *testing.T, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The world that the captured calls speak of.
const capturedWorld = `
alibaba:
  region: cn-beijing
  accessKeys: {testak: testsk}
  vswitches: [{id: vsw-1, vpc: vpc-1}]
  instances: [{id: i-1, vswitch: vsw-1}]
  havips: [{id: havip-1, vswitch: vsw-1, ip: 10.0.0.1}]
baidu:
  region: bj
  accessKeys: {testak: testsk}
  subnets: [{id: sbn-1, vpc: vpc-1}]
  instances: [{id: i-1, subnet: sbn-1}]
  havips: [{id: havip-1, subnet: sbn-1, ip: 10.0.0.1}]
`

func TestCapturedCallsAreAccepted(t *testing.T) {
	for _, c := range []struct{ name, cloud, text string }{
		{"ACS3", "alibaba", capturedACS3},
		{"V1 in a form", "alibaba", capturedV1Form},
		{"V1 in the query, an empty parameter", "alibaba", capturedV1Query},
		{"BCE put", "baidu", capturedPut},
		{"BCE get", "baidu", capturedGet},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				<-time.After(time.Until(time.Date(2026, 11, 21, 22, 50, 0, 0, time.UTC)))
				s, handler := capturedSimulator(t, c.cloud)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, captured(t, c.text))
				if w.Code != http.StatusOK {
					t.Errorf("answer is %d: %s", w.Code, w.Body)
				}
				if call := s.Calls(CallFilter{})[0]; call.AccessKeyID != "testak" || call.Effect != (c.name != "BCE get") {
					t.Errorf("call is %+v", call)
				}
			})
		})
	}
}

func TestCapturedCallsAreRefusedOnceTouched(t *testing.T) {
	for _, c := range []struct{ name, cloud, text, from, to, code string }{
		{"ACS3 parameter", "alibaba", capturedACS3, "InstanceId=i-1", "InstanceId=i-2", "SignatureDoesNotMatch"},
		{"ACS3 signed header", "alibaba", capturedACS3, "static_ak", "static_ok", "SignatureDoesNotMatch"},
		{"V1 parameter", "alibaba", capturedV1Form, "InstanceId=i-1", "InstanceId=i-2", "SignatureDoesNotMatch"},
		{"V1 empty parameter left out", "alibaba", capturedV1Query, "&SignatureType=", "", "SignatureDoesNotMatch"},
		{"V1 another key", "alibaba", capturedV1Query, "=testak", "=otherk", "InvalidAccessKeyId.NotFound"},
		{"V1 another minute", "alibaba", capturedV1Query, "22%3A45", "22%3A15", "InvalidTimeStamp.Expired"},
		{"BCE action", "baidu", capturedPut, "?attach", "?detach", "SignatureDoesNotMatch"},
		{"BCE signed header", "baidu", capturedPut, "D333", "D334", "SignatureDoesNotMatch"},
		{"BCE another key", "baidu", capturedGet, "v1/testak", "v1/otherk", "InvalidAccessKeyId"},
		{"BCE expiry", "baidu", capturedGet, "/1800/", "/1801/", "SignatureDoesNotMatch"},
		{"BCE expired", "baidu", capturedGet, "Z/1800/", "Z/-500/", "RequestExpired"},
		{"BCE garbage", "baidu", capturedGet, "bce-auth-v1/", "bce-auth-v9/", "InvalidHTTPAuthHeader"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				<-time.After(time.Until(time.Date(2026, 11, 21, 22, 50, 0, 0, time.UTC)))
				s, handler := capturedSimulator(t, c.cloud)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, captured(t, strings.Replace(c.text, c.from, c.to, 1)))
				if call := s.Calls(CallFilter{})[0]; call.Code != c.code || call.Effect {
					t.Errorf("code is %q, want %q; %s", call.Code, c.code, w.Body)
				}
			})
		})
	}
}

func capturedSimulator(t *testing.T, cloud string) (*Simulator, http.Handler) {
	t.Helper()
	world, err := worldfile.Parse([]byte(capturedWorld))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{World: world, AssociateTime: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if cloud == "baidu" {
		return s, s.Baidu()
	}
	return s, s.Alibaba()
}
