package simulator

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// assumeRole hands out temporary credentials. They lead to the realms of the
// role's account where the world names accounts, else to the caller's own.
func (s *Simulator) assumeRole(q *request) (any, *refusal) {
	account, role, ok := parseRole(q.params["RoleArn"])
	seconds, err := strconv.Atoi(cmp.Or(q.params["DurationSeconds"], "3600"))
	if !ok || err != nil || seconds < 900 || seconds > int(longestSession/time.Second) || len(q.params["RoleSessionName"]) < 2 {
		return nil, &refusal{http.StatusBadRequest, "InvalidParameter", "The specified RoleArn, RoleSessionName or DurationSeconds is not valid."}
	}
	realms := s.world.ofAccount(account)
	if realms == nil {
		realms = q.realms
	}
	if len(realms) == 0 {
		return nil, alibabaRefusal("EntityNotExist.Role")
	}
	id, c := s.newSession(realms, time.Duration(seconds)*time.Second)
	session := role + "/" + q.params["RoleSessionName"]
	return map[string]any{
		"RequestId":       q.call.RequestID,
		"AssumedRoleUser": map[string]string{"Arn": "acs:ram::" + account + ":assumed-role/" + session, "AssumedRoleId": "3" + account + ":" + q.params["RoleSessionName"]},
		"Credentials": map[string]string{
			"AccessKeyId": id, "AccessKeySecret": c.secret, "SecurityToken": c.token,
			"Expiration": c.expires.UTC().Format("2006-01-02T15:04:05Z"),
		},
	}, nil
}

// parseRole reads acs:ram::ACCOUNT:role/NAME.
func parseRole(arn string) (account, role string, ok bool) {
	rest, ok := strings.CutPrefix(arn, "acs:ram::")
	account, role, found := strings.Cut(rest, ":role/")
	return account, role, ok && found && account != "" && role != ""
}

// ofAccount finds the realms of an account: nil where the world names no
// accounts, empty where this one has nothing.
func (w *world) ofAccount(account string) []*realm {
	var found []*realm
	for _, r := range w.realms["alibaba"] {
		if r.spec.Account == "" {
			continue
		}
		if found == nil {
			found = []*realm{}
		}
		if r.spec.Account == account {
			found = append(found, r)
		}
	}
	return found
}
