package simulator

import (
	"slices"
	"time"

	"havip-functions/shared/simulator/sign"
)

// verifyAlibaba checks either signature, its time, its nonce and its token, in
// the gateway's order: key, time, signature, nonce.
func verifyAlibaba(s *Simulator, q *request) *refusal {
	claim, why := q.claim()
	if why != nil {
		return why
	}
	q.call.AccessKeyID, q.call.Signature = claim.keyID, claim.kind
	c, ok := s.credential("alibaba", claim.keyID)
	if !ok {
		return alibabaRefusal("InvalidAccessKeyId.NotFound")
	}
	if why := claim.timely(q.at); why != nil {
		return why
	}
	if signature, toSign := claim.sign(c.secret); !sign.Same(signature, claim.signature) {
		return alibabaRefusal("SignatureDoesNotMatch").with("Specified signature is not matched with our calculation. server string to sign is:" + toSign)
	}
	if why := c.demands(claim.token, q.at); why != nil {
		return why
	}
	if !s.fresh(claim.keyID, claim.nonce, q.at) {
		return alibabaRefusal("SignatureNonceUsed")
	}
	q.realms = c.realms
	return nil
}

// claim is what a request says of its signer, in either signature.
type claim struct {
	kind, keyID, signature, nonce, token, at string
	sign                                     func(secret string) (signature, toSign string)
}

func (q *request) claim() (claim, *refusal) {
	if h, ok := sign.ParseACS3(q.http.Header.Get("Authorization")); ok {
		return q.claimACS3(h)
	}
	for _, k := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"} {
		if q.params[k] == "" {
			return claim{kind: "V1"}, missing(k)
		}
	}
	if q.params["SignatureMethod"] != "HMAC-SHA1" || q.params["SignatureVersion"] != "1.0" {
		return claim{}, alibabaRefusal("InvalidSignatureMethod")
	}
	return claim{
		kind: "V1", keyID: q.params["AccessKeyId"], signature: q.params["Signature"],
		nonce: q.params["SignatureNonce"], token: q.params["SecurityToken"], at: q.params["Timestamp"],
		sign: func(secret string) (string, string) { return sign.V1(q.http.Method, q.params, secret) },
	}, nil
}

func (q *request) claimACS3(h sign.ACS3) (claim, *refusal) {
	for _, name := range []string{"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"} {
		if !slices.Contains(h.Signed, name) || sign.Header(q.http, name) == "" {
			return claim{}, alibabaRefusal("IncompleteSignature").with("The request signature does not conform to Aliyun standards. " + name + " has to be given and signed.")
		}
	}
	if q.http.Header.Get("x-acs-content-sha256") != sign.Hash(q.body) {
		return claim{}, alibabaRefusal("SignatureDoesNotMatch").with("The x-acs-content-sha256 is not the hash of the body.")
	}
	return claim{
		kind: "ACS3", keyID: h.KeyID, signature: h.Signature, nonce: q.http.Header.Get("x-acs-signature-nonce"),
		token: q.http.Header.Get("x-acs-security-token"), at: q.http.Header.Get("x-acs-date"),
		sign: func(secret string) (string, string) { return h.Sign(q.http, secret) },
	}, nil
}

func (c claim) timely(now time.Time) *refusal {
	at, err := time.Parse("2006-01-02T15:04:05Z", c.at)
	switch {
	case err != nil:
		return alibabaRefusal("InvalidTimeStamp.Format")
	case skewed(at, now):
		return alibabaRefusal("InvalidTimeStamp.Expired")
	default:
		return nil
	}
}

// demands checks the token of temporary credentials.
func (c credential) demands(token string, now time.Time) *refusal {
	switch {
	case c.token == "":
		return nil
	case token == "":
		return alibabaRefusal("MissingSecurityToken")
	case !sign.Same(token, c.token):
		return alibabaRefusal("InvalidSecurityToken.MismatchWithAccessKey")
	case !c.expires.IsZero() && now.After(c.expires):
		return alibabaRefusal("InvalidSecurityToken.Expired")
	default:
		return nil
	}
}
