package ledgertest

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	vendor "github.com/aliyun/aliyun-tablestore-go-sdk/tablestore"
	"github.com/aliyun/aliyun-tablestore-go-sdk/tablestore/otsprotocol"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"havip-functions/shared/havip"
	wire "havip-functions/shared/ledger/tablestore"
)

// Tablestore stands for an instance of Tablestore, of which nobody offers a local one.
// Its messages are the vendor's own, and its rules those of the vendor's pages; what it
// can't know of the real one is refused, so that nobody leans on it. Every few calls it
// is busy, and it keeps its tables when it is killed.
type Tablestore struct {
	Host string // with its port

	mu     sync.Mutex
	known  map[string]havip.Credentials
	tables map[string]*otsTable
	calls  int
	done   map[string]bool
	fault  func(op string) Fault
	ahead  time.Duration
	server *http.Server
	t      testing.TB
}

// Fault is what happens to a call.
type Fault struct {
	Status int    // of a refusal without effect, 0 for none
	Code   string // of it
	Lose   bool   // the reply, after the effect
}

// Instance and LedgerTable are those of s.yaml.
const (
	Instance    = "havip-functions"
	LedgerTable = "havip_ledger"
)

const (
	busyEvery = 40 // calls
	maxBody   = 8 << 20
	maxSkew   = 15 * time.Minute
)

// NewTablestore starts one that believes these keys, with the tables of
// deploy/alibaba/rules.tf.
func NewTablestore(t testing.TB, keys ...havip.Credentials) *Tablestore {
	t.Helper()
	s := &Tablestore{t: t, done: map[string]bool{}}
	s.Know(keys...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Host = l.Addr().String()
	s.serve(l)
	t.Cleanup(s.Kill)
	s.tables = rules(t)
	return s
}

// Address is the ledger in it.
func (s *Tablestore) Address() string {
	return "tablestore://" + Instance + "/" + LedgerTable + "?endpoint=http://" + s.Host
}

// Vendor is the vendor's own client, as the owner of the first of these keys.
func (s *Tablestore) Vendor(keys havip.Credentials) *vendor.TableStoreClient {
	return vendor.NewClientWithConfig("http://"+s.Host, Instance, keys.AccessKeyID, keys.AccessKeySecret, keys.SecurityToken, nil)
}

// Client is ours, with these keys.
func (s *Tablestore) Client(keys havip.Credentials) *wire.Client {
	return &wire.Client{Endpoint: "http://" + s.Host, Instance: Instance,
		Keys: func(context.Context) (havip.Credentials, error) { return keys, nil }}
}

// Know has it believe these keys, and no others.
func (s *Tablestore) Know(keys ...havip.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = map[string]havip.Credentials{}
	for _, k := range keys {
		s.known[k.AccessKeyID] = k
	}
}

// Fail asks before each call what is to happen to it; nil, nothing.
func (s *Tablestore) Fail(f func(op string) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Done are the calls that had an effect, each with its table.
func (s *Tablestore) Done() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.done))
}

// Age lets so much time pass for what is kept.
func (s *Tablestore) Age(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// Start starts it, again after a Kill.
func (s *Tablestore) Start() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.serve(l)
}

func (s *Tablestore) serve(l net.Listener) {
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	s.server = server
	go func() { _ = server.Serve(l) }() // until it is killed
}

// Kill cuts all connections: what was on its way may have had its effect.
func (s *Tablestore) Kill() { _ = s.server.Close() }

// ServeHTTP answers one call.
func (s *Tablestore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return // the sender has gone
	}
	s.mu.Lock()
	reply, failed, lost := s.answer(r, body)
	at := time.Now()
	s.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler)
	}
	status := http.StatusOK
	if failed != nil {
		status, reply = failed.status, &otsprotocol.Error{Code: &failed.code, Message: &failed.message}
	}
	text, err := proto.Marshal(protoadapt.MessageV2Of(reply))
	if err != nil {
		s.t.Errorf("a reply can't be written: %v", err)
	}
	w.Header().Set("x-ots-requestid", "request-"+strconv.FormatInt(at.UnixNano(), 36))
	w.Header().Set("x-ots-date", at.UTC().Format("2006-01-02T15:04:05.000Z"))
	w.WriteHeader(status)
	_, _ = w.Write(text) // else it is the sender who notices
}

// refusal is an error of Tablestore.
type refusal struct {
	status        int
	code, message string
}

func invalid(message string) *refusal {
	return &refusal{http.StatusBadRequest, "OTSParameterInvalid", message}
}

func (s *Tablestore) answer(r *http.Request, body []byte) (reply protoadapt.MessageV1, failed *refusal, lost bool) {
	op := strings.TrimPrefix(r.URL.Path, "/")
	if failed := s.authenticate(r, body); failed != nil {
		return nil, failed, false
	}
	fault := Fault{}
	switch s.calls++; {
	case s.fault != nil:
		fault = s.fault(op)
	case s.calls%(2*busyEvery) == 0:
		fault = Fault{Status: http.StatusServiceUnavailable, Code: "OTSServerBusy"}
	case s.calls%busyEvery == 0:
		fault = Fault{Status: http.StatusConflict, Code: "OTSRowOperationConflict"}
	}
	if fault.Status != 0 {
		return nil, &refusal{fault.Status, fault.Code, "Service is busy."}, false
	}
	reply, failed = s.do(op, body)
	return reply, failed, fault.Lose
}

// authenticate checks the headers that the vendor's page asks for.
// https://www.alibabacloud.com/help/doc-detail/27299.htm
func (s *Tablestore) authenticate(r *http.Request, body []byte) *refusal {
	auth := func(message string) *refusal { return &refusal{http.StatusForbidden, "OTSAuthFailed", message} }
	for _, name := range []string{"x-ots-date", "x-ots-apiversion", "x-ots-accesskeyid", "x-ots-contentmd5", "x-ots-instancename", "x-ots-signature"} {
		if r.Header.Get(name) == "" {
			return invalid("Missing header: " + name + ".")
		}
	}
	sum := md5.Sum(body)
	keys, known := s.known[r.Header.Get("x-ots-accesskeyid")]
	date := r.Header.Get("x-ots-date")
	at, err := time.Parse("2006-01-02T15:04:05", date[:min(len(date), 19)]) // the vendor's own client writes odd fractions
	switch {
	case r.Method != http.MethodPost:
		return &refusal{http.StatusMethodNotAllowed, "OTSMethodNotAllowed", "Only POST method for requests is supported."}
	case r.Header.Get("x-ots-apiversion") != "2015-12-31":
		return invalid("Invalid API version.")
	case err != nil:
		return invalid("Invalid date format: " + date + ".")
	case !known:
		return auth("The AccessKeyID does not exist.")
	case r.Header.Get("x-ots-instancename") != Instance:
		return auth("The instance is not found.")
	case time.Since(at).Abs() > maxSkew:
		return auth("Mismatch between system time and x-ots-date: " + date + ".")
	case r.Header.Get("x-ots-contentmd5") != base64.StdEncoding.EncodeToString(sum[:]):
		return auth("Mismatch between MD5 value of request body and x-ots-contentmd5 in header.")
	case r.Header.Get("x-ots-signature") != signed(r, keys.AccessKeySecret):
		return auth("Signature mismatch.")
	case r.Header.Get("x-ots-ststoken") != keys.SecurityToken:
		return auth("The security token is not of this key.")
	}
	return nil
}

func signed(r *http.Request, secret string) string {
	h := map[string]string{}
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-ots-") && name != "x-ots-signature" {
			h[name] = strings.TrimSpace(values[0])
		}
	}
	mac := hmac.New(sha1.New, []byte(secret))
	_, _ = io.WriteString(mac, r.URL.Path+"\nPOST\n\n") // a hash takes all
	for _, name := range slices.Sorted(maps.Keys(h)) {
		_, _ = io.WriteString(mac, name+":"+h[name]+"\n")
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
