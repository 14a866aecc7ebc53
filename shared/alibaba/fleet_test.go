package alibaba_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"havip-functions/shared/havip"
)

// TestStates asks for 250 instances and some interfaces at once.
func TestStates(t *testing.T) {
	var asked []int
	cloud := scripted(t, func(q request) (int, string) {
		if q.Get("Action") == "DescribeNetworkInterfaces" {
			return http.StatusOK, `{"RequestId":"r1","NetworkInterfaceSets":{"NetworkInterfaceSet":[
				{"NetworkInterfaceId":"eni-a","InstanceId":"i-7"},
				{"NetworkInterfaceId":"eni-b","InstanceId":"i-300"},
				{"NetworkInterfaceId":"eni-free","InstanceId":""}]}}`
		}
		var ids []string
		if err := json.Unmarshal([]byte(q.Get("InstanceIds")), &ids); err != nil || q.Get("PageSize") != "100" {
			t.Errorf("asked %v", q.Values)
		}
		asked = append(asked, len(ids))
		return http.StatusOK, instances(ids)
	})
	want := map[string]havip.InstanceState{"eni-a": havip.Running, "eni-b": havip.Stopped, "eni-gone": havip.Deleted}
	ids := []string{"eni-a", "eni-b", "eni-free", "eni-gone"}
	for n := range 250 {
		id := "i-" + strconv.Itoa(n)
		ids = append(ids, id)
		want[id] = havip.Running
	}
	want["i-0"] = havip.Deleted
	delete(want, "i-1") // its status is none of ours
	got, err := cloud.States(t.Context(), ids)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if fmt.Sprint(asked) != "[100 100 51]" {
		t.Errorf("asked for %v instances", asked)
	}
}

// instances knows all but i-0; from i-300 on they are stopped.
func instances(ids []string) string {
	var list []string
	for _, id := range ids {
		status := "Running"
		switch {
		case id == "i-0":
			continue
		case id == "i-1":
			status = "Rescuing"
		case len(id) == 5 && id >= "i-300":
			status = "Stopped"
		}
		list = append(list, fmt.Sprintf(`{"InstanceId":%q,"Status":%q}`, id, status))
	}
	return `{"RequestId":"r1","Instances":{"Instance":[` + strings.Join(list, ",") + `]}}`
}
