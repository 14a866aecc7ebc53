package wire_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// shown refuses each change with one error, and shows what it is told to.
type shown struct {
	havip.Fleet
	says   error
	have   havip.HAVIP
	unread error
	reads  int
}

func (s *shown) Get(context.Context, string) (havip.HAVIP, error) {
	s.reads++
	return s.have, s.unread
}

func (s *shown) Attach(context.Context, havip.Call) (havip.Receipt, error) {
	return havip.Receipt{RequestID: "r1"}, s.says
}

func (s *shown) Detach(context.Context, havip.Call) (havip.Receipt, error) {
	return havip.Receipt{RequestID: "r1"}, s.says
}

func TestIdempotent(t *testing.T) {
	held := havip.HAVIP{Status: havip.InUse, Holders: []string{"i-1"}}
	other := havip.HAVIP{Status: havip.InUse, Holders: []string{"i-2"}}
	free := havip.HAVIP{Status: havip.Available}
	moving := havip.HAVIP{Status: havip.Associating}
	busy, refused := havip.ErrBusy, havip.ErrRefused
	says := func(kind error, code string, status int) error {
		return &havip.Error{Kind: kind, Code: code, Status: status, RequestID: "r1"}
	}
	attach, detach := havip.Cloud.Attach, havip.Cloud.Detach
	for name, tt := range map[string]struct {
		do    func(havip.Cloud, context.Context, havip.Call) (havip.Receipt, error)
		cloud shown
		want  kind
		reads int
	}{
		"accepted":              {attach, shown{have: free}, kind{}, 0},
		"no doubt":              {attach, shown{says: says(refused, "No", 400), have: held}, kind{refused, false, false, "No"}, 0},
		"of no cloud":           {attach, shown{says: errors.New("?"), have: held}, kind{}, 0},
		"so already":            {attach, shown{says: says(refused, "Doubt", 400), have: held}, kind{}, 1},
		"so already, and busy":  {attach, shown{says: says(busy, "Doubt", 409), have: held}, kind{}, 1},
		"not so":                {attach, shown{says: says(refused, "Doubt", 400), have: other}, kind{refused, false, false, "Doubt"}, 1},
		"not so yet":            {attach, shown{says: says(refused, "Doubt", 400), have: moving}, kind{busy, false, false, "Doubt"}, 1},
		"a precise 404":         {attach, shown{says: says(refused, "Doubt", http.StatusNotFound), have: free}, kind{refused, false, false, "Doubt"}, 1},
		"instance not found":    {attach, shown{says: says(refused, "Doubt", http.StatusNotFound), have: free}, kind{refused, false, true, "Doubt"}, 1},
		"HAVIP not found":       {attach, shown{says: says(refused, "Doubt", http.StatusNotFound), unread: says(refused, "Gone", 404)}, kind{refused, false, false, "Doubt"}, 1},
		"not read this time":    {attach, shown{says: says(refused, "Doubt", 400), unread: says(busy, "Throttling", 503)}, kind{busy, false, false, "Throttling"}, 1},
		"detach: so already":    {detach, shown{says: says(refused, "Doubt", 400), have: other}, kind{}, 1},
		"detach: not so":        {detach, shown{says: says(refused, "Doubt", 400), have: held}, kind{refused, false, false, "Doubt"}, 1},
		"detach: accepted":      {detach, shown{have: held}, kind{}, 0},
		"detach: nothing there": {detach, shown{says: says(refused, "Doubt", 404), unread: says(refused, "Gone", 404)}, kind{refused, false, false, "Doubt"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := &wire.Idempotent{Cloud: &tt.cloud, Doubtful: func(e *havip.Error) bool { return e.Code == "Doubt" }, Vague: name != "a precise 404"}
			receipt, err := tt.do(cloud, t.Context(), havip.Call{HAVIP: "havip-1", Instance: "i-1"})
			if got := kindOf(err); got != tt.want || tt.cloud.reads != tt.reads {
				t.Errorf("got %+v (%v) after %d reads, want %+v after %d", got, err, tt.cloud.reads, tt.want, tt.reads)
			}
			if (err == nil) != (receipt.RequestID == "r1") {
				t.Errorf("receipt %+v with %v", receipt, err)
			}
		})
	}
}
