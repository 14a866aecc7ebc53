package havip

import "strings"

// The forms of what rosters and events name, and we make ledger's keys and endpoints
// of. They are written out because compiling them as regular expressions was a fifth of
// a function's start.

const (
	digits  = "0123456789"
	lower   = "abcdefghijklmnopqrstuvwxyz"
	letters = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// IsName tells whether a text may be the name of a HAVIP or an account: up to 64 letters,
// digits, dots, hyphens and underscores, a letter or digit first.
func IsName(text string) bool {
	return text != "" && strings.Contains(letters+digits, text[:1]) && consists(text, letters+digits+"._-", 64)
}

// IsRegion tells whether a text may be a region: up to 32 small letters, digits and
// hyphens, a letter first.
func IsRegion(text string) bool {
	return text != "" && strings.Contains(lower, text[:1]) && consists(text, lower+digits+"-", 32)
}

// IsHAVIP tells whether a text may be a HAVIP's id.
func IsHAVIP(text string) bool { return isID(text, "havip-") }

// IsInstance tells whether a text may be an instance's id.
func IsInstance(text string) bool { return isID(text, "i-") }

// IsInterface tells whether a text may be an interface's id.
func IsInterface(text string) bool { return isID(text, "eni-") }

// IsRole tells whether a text may be the ARN of an Alibaba Cloud role.
func IsRole(text string) bool {
	rest, begins := strings.CutPrefix(text, "acs:ram::")
	account, role, cut := strings.Cut(rest, ":role/")
	return begins && cut && consists(account, digits, len(text)) && consists(role, letters+digits+"._/-", len(text))
}

// IsKey tells whether a text may be a ledger's key: up to 256 letters, digits, hyphens and
// underscores, in parts with dots between them.
func IsKey(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if !consists(part, letters+digits+"_-", 256) {
			return false
		}
	}
	return len(text) <= 256
}

// isID allows up to 64 letters, digits and hyphens after what ids of a kind begin with.
func isID(text, prefix string) bool {
	rest, begins := strings.CutPrefix(text, prefix)
	return begins && consists(rest, letters+digits+"-", 64)
}

// consists tells whether a text consists of 1 to so many of certain ASCII characters.
func consists(text, of string, most int) bool {
	return text != "" && len(text) <= most && strings.Trim(text, of) == ""
}
