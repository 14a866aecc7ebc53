package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger/tablestore"
)

// Keys give credentials, anew for each call.
type Keys = func(context.Context) (havip.Credentials, error)

const (
	letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits   = "0123456789"
	forgets  = "_history"
	maxTable = 255 - len(forgets)
)

// goodInstance and goodTablestore tell what may name an instance, and a table in it.
// https://www.alibabacloud.com/help/en/tablestore/limits-on-widecolumn-model
func goodInstance(name string) bool {
	return len(name) >= 3 && len(name) <= 16 && strings.Trim(name, letters+digits+"-") == "" &&
		strings.Contains(letters, name[:1]) && name[len(name)-1] != '-'
}

func goodTablestore(name string) bool {
	return name != "" && len(name) <= maxTable && strings.Trim(name, letters+digits+"_") == "" && !strings.Contains(digits, name[:1])
}

// OpenTablestore opens the tables of tablestore://INSTANCE/TABLE. They are reached from
// inside the region that is ours, from outside with ?region=…, and anywhere with
// ?endpoint=…. Where there are no keys yet, the first call tells what is wrong.
func OpenTablestore(ctx context.Context, address, ours string, keys Keys) (*Table, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "tablestore" || !goodInstance(u.Host) || !goodTablestore(strings.TrimPrefix(u.Path, "/")) || u.User != nil {
		return nil, errors.New("not an address of Tablestore; give tablestore://INSTANCE/TABLE, and from outside of its region ?region=REGION")
	}
	endpoint := tablestoreEndpoint(u, ours)
	if endpoint == "" {
		return nil, fmt.Errorf("no region is known for Tablestore; give %s?region=REGION", address)
	}
	t := tablestoreTables{&tablestore.Client{Endpoint: endpoint, Instance: u.Host, Keys: keys}, u.Path[1:]}
	if _, err := keys(ctx); err != nil {
		return &Table{t}, nil // a call brings its own
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, table := range []string{t.table, t.table + forgets} {
		if _, _, err := t.client.GetRow(ctx, table, rowKey("clock", "clock")...); err != nil {
			return nil, fmt.Errorf("the table %s of Tablestore at %s can't be read: %w; deploy/alibaba/rules.tf makes it", table, t.client.Endpoint, tablestoreKind(err))
		}
	}
	return &Table{t}, nil
}

// tablestoreEndpoint is the public one of another region, and of ours the one that
// functions reach without a VPC and without paying for what they read.
// https://www.alibabacloud.com/help/en/tablestore/endpoints
func tablestoreEndpoint(u *url.URL, ours string) string {
	switch region := u.Query().Get("region"); {
	case u.Query().Has("endpoint"):
		return u.Query().Get("endpoint")
	case region != "":
		return "https://" + u.Host + "." + region + ".ots.aliyuncs.com"
	case ours != "":
		return "https://" + u.Host + "." + ours + ".ots-internal.aliyuncs.com"
	}
	return ""
}

// TablestoreRights are the calls that a role has to allow, on TABLE and on TABLE_history.
func TablestoreRights() (kept, history []string) {
	return []string{"GetRow", "PutRow", "UpdateRow"}, []string{"DeleteRow", "GetRange", "GetRow", "PutRow"}
}
