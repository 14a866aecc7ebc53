package wire

import (
	"net/http"

	"havip-functions/shared/havip"
)

// Verdict says what one code of a cloud means to us.
type Verdict struct {
	Kind     error  // havip.ErrBusy or havip.ErrRefused
	Rule     string // the rule that was broken, in a few words
	Advice   string // what a person can do
	Source   string // who says so
	Lost     bool   // not a definite no: the call may have had its effect
	Instance bool   // it concerns the instance of the call
}

// Verdict finds the row of a code, an exact one before the longest prefix.
func (d Dialect) Verdict(code string) (Verdict, bool) {
	if v, ok := d.Codes[code]; ok {
		return v, true
	}
	for end := len(code); end > 0; end-- {
		if v, ok := d.Codes[code[:end]+"*"]; ok {
			return v, true
		}
	}
	return Verdict{}, false
}

// Busy is a definite no for now.
func Busy(source, rule, advice string) Verdict {
	return Verdict{Kind: havip.ErrBusy, Rule: rule, Advice: advice, Source: source}
}

// Refused is a definite no until a person acts.
func Refused(source, rule, advice string) Verdict {
	return Verdict{Kind: havip.ErrRefused, Rule: rule, Advice: advice, Source: source}
}

// Unsure is v where the call may have had its effect all the same.
func (v Verdict) Unsure() Verdict {
	v.Lost = true
	return v
}

// OfInstance is v where another instance might fare better.
func (v Verdict) OfInstance() Verdict {
	v.Instance = true
	return v
}

// byStatus judges a code that no row names.
func byStatus(status int) Verdict {
	switch {
	case status == http.StatusTooManyRequests:
		return Verdict{Kind: havip.ErrBusy, Rule: "too many calls", Advice: "it is tried again; raise the account's limit if it stays so"}
	case status == http.StatusConflict, status == http.StatusLocked, status == http.StatusTooEarly:
		return Verdict{Kind: havip.ErrBusy, Advice: "it is tried again"}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Verdict{Kind: havip.ErrRefused, Advice: "check the access key and its permissions"}
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout:
		return Verdict{Kind: havip.ErrRefused, Advice: "look the code up in the cloud's error centre"}
	default:
		return Verdict{Kind: havip.ErrBusy, Lost: true, Advice: readBack}
	}
}
