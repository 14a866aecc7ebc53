package simulator

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseFaults reads the short form of faults that a flag takes: a list, by
// commas, of
//
//	throttle=50        at most 50 calls a second of one account and operation
//	delay=200ms        before the effect
//	slowBody=2s        half of each answer comes so late
//	error=CODE         this refusal
//	loseReply=0.1      a tenth of the calls take effect and get no answer
//	cut=0.1            a tenth of the calls are cut off before any effect
//	stuck, redirect, html, numericCode   likewise, with a share or without (all calls)
//
// An operation before it confines an entry, AssociateHaVip:loseReply=0.5, and
// so does a cloud, baidu:delay=1s.
func ParseFaults(spec string) ([]Fault, error) {
	var faults []Fault
	for entry := range strings.SplitSeq(spec, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		f, err := parseFault(entry)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", entry, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func parseFault(entry string) (f Fault, err error) {
	name, value, given := strings.Cut(entry, "=")
	if where, rest, confined := strings.Cut(name, ":"); confined {
		name = rest
		if where == "alibaba" || where == "baidu" {
			f.Cloud = where
		} else {
			f.Operation = where
		}
	}
	switch name {
	case "throttle":
		f.ThrottlePerSecond, err = strconv.Atoi(value)
	case "delay":
		f.Delay, err = time.ParseDuration(value)
	case "slowBody":
		f.SlowBody, err = time.ParseDuration(value)
	case "error":
		f.Error = &FaultError{Code: value}
	default:
		err = f.share(name, value, given)
	}
	if err != nil {
		return Fault{}, err
	}
	return f, f.check()
}

// share sets a fault that befalls a share of the calls.
func (f *Fault) share(name, value string, given bool) (err error) {
	switches := map[string]*bool{
		"loseReply": &f.LoseReply, "cut": &f.Cut, "stuck": &f.Stuck,
		"redirect": &f.Redirect, "html": &f.HTML, "numericCode": &f.NumericCode,
	}
	on, ok := switches[name]
	if !ok {
		return errors.New("unknown; give throttle, delay, slowBody, error, loseReply, cut, stuck, redirect, html or numericCode")
	}
	*on = true
	if !given {
		return nil
	}
	f.Probability, err = strconv.ParseFloat(value, 64)
	if err == nil && f.Probability <= 0 {
		return fmt.Errorf("the share %s befalls no call; give more than 0, at most 1", value)
	}
	return err
}
