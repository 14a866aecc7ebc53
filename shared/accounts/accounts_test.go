package accounts_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"havip-functions/shared/accounts"
	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// twoAccounts is a world where the functions' own account has a role in another.
const twoAccounts = `
alibaba:
  - {region: cn-hangzhou, account: "1111111111111111", accessKeys: {testak: testsk}, instances: [], havips: []}
  - region: cn-hangzhou
    account: "2222222222222222"
    accessKeys: {otherak: othersk}
    vswitches: [{id: vsw-a, vpc: vpc-1}]
    instances: [{id: i-db1, vswitch: vsw-a}]
    havips: [{id: havip-bp1orders, vswitch: vsw-a, ip: 10.0.0.100}]
`

const rosterOfTwo = `
accounts:
  prod: {cloud: alibaba, roleArn: "acs:ram::2222222222222222:role/havip"}
havips:
  - {name: orders-db, cloud: alibaba, account: prod, region: cn-hangzhou, id: havip-bp1orders, members: [i-db1]}
`

// A HAVIP of another account is reached by its role. The role is assumed once a
// story, under the story's name, however often the story looks.
func TestRolesAreKept(t *testing.T) {
	w, err := worldfile.Parse([]byte(twoAccounts))
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulator.New(simulator.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	server := httptest.NewServer(sim.Alibaba())
	defer server.Close()
	file, err := roster.Open(rosterOfTwo)
	if err != nil {
		t.Fatal(err)
	}
	keys := accounts.New(func(name string) string {
		return map[string]string{"HAVIP_ALIBABA_ENDPOINT": server.URL}[name]
	})
	clouds := keys.Clouds(havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"})
	for _, story := range []string{"story-1", "story-1", "story-2", "story-1"} {
		cloud, _, err := clouds(t.Context(), file.Policies()[0], story)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := cloud.Get(t.Context(), "havip-bp1orders"); err != nil || h.ID != "havip-bp1orders" {
			t.Errorf("%s: got %+v, %v", story, h, err)
		}
	}
	var sessions []string
	for _, c := range sim.Calls(simulator.CallFilter{Operation: "AssumeRole"}) {
		sessions = append(sessions, c.Params["RoleSessionName"])
	}
	if got := strings.Join(sessions, " "); got != "havip-story-1 havip-story-2" {
		t.Errorf("the roles were assumed as %q", got)
	}
}

// Baidu's keys come from a file or the environment, read anew for each call, and
// no error repeats them.
func TestBaiduCredentials(t *testing.T) {
	good := filepath.Join(t.TempDir(), "bce.json")
	for name, tt := range map[string]struct {
		credentials, file string
		env               map[string]string
		want              string // of the error; "" is none
	}{
		"a file":            {"file:" + good, `{"accessKeyId":"testak","secretAccessKey":"testsk"}`, nil, ""},
		"a prefix":          {"env:OTHER", "", map[string]string{"OTHER_ACCESS_KEY_ID": "testak", "OTHER_SECRET_ACCESS_KEY": "testsk"}, ""},
		"no file":           {"file:/no/such/file", "", nil, "can't be read"},
		"a file of secrets": {"file:" + good, `testsk, which is no JSON`, nil, "is not {"},
		"an empty prefix":   {"env:OTHER", "", nil, "OTHER_ACCESS_KEY_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			sim, err := simulator.New(simulator.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			server := httptest.NewServer(sim.Baidu())
			defer server.Close()
			if err := os.WriteFile(good, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			file, err := roster.Open("accounts: {bd: {cloud: baidu, credentials: \"" + tt.credentials + "\"}}\n" +
				"havips: [{name: cache, cloud: baidu, account: bd, region: bj, id: havip-w2d4, members: [i-syG1]}]\n")
			if err != nil {
				t.Fatal(err)
			}
			keys := accounts.New(func(name string) string {
				if name == "HAVIP_BAIDU_ENDPOINT" {
					return server.URL
				}
				return tt.env[name]
			})
			cloud, _, err := keys.Clouds(havip.Credentials{})(t.Context(), file.Policies()[0], "story-1")
			if err != nil {
				t.Fatal(err)
			}
			_, err = cloud.Get(t.Context(), "havip-w2d4")
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "testsk")) {
				t.Errorf("got %v, want %s and no secret", err, tt.want)
			}
		})
	}
}

func TestNewest(t *testing.T) {
	env := map[string]string{}
	keys := accounts.New(func(name string) string { return env[name] })
	if _, err := keys.Newest(t.Context()); err == nil {
		t.Error("there are keys, and no call has come")
	}
	env["ALIBABA_CLOUD_ACCESS_KEY_ID"], env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "of-the-environment", "x"
	for _, want := range []string{"of-the-environment", "of-a-call", "of-the-next"} {
		if want != "of-the-environment" {
			keys.Note(havip.Credentials{AccessKeyID: want, AccessKeySecret: "x"})
			keys.Note(havip.Credentials{})
		}
		if got, err := keys.Newest(t.Context()); got.AccessKeyID != want || err != nil {
			t.Errorf("got those %s, %v; want those %s", got.AccessKeyID, err, want)
		}
	}
}
