package ledger_test

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

// TestMain runs the tests, or is a node of their cluster. It gives the AWS SDK
// credentials, as the environment of a function does.
func TestMain(m *testing.M) {
	ledgertest.BeNode()
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "testak", "AWS_SECRET_ACCESS_KEY": "testsk"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// dynamoDB is a ledger and its server.
type dynamoDB struct {
	*ledger.Table
	*ledgertest.Server
}

func openDynamoDB(t testing.TB) ledger.Ledger { return dynamoDBAt(t, ledgertest.DynamoDB(t)) }

func dynamoDBAt(t testing.TB, s *ledgertest.Server) dynamoDB {
	t.Helper()
	l, err := ledger.OpenDynamoDB(t.Context(), ledgertest.TableAt(s.Host))
	if err != nil {
		t.Fatal(err)
	}
	return dynamoDB{l, s}
}

func (d dynamoDB) count(t *testing.T, of string, many int) {
	t.Helper()
	d.update(t, "tally", of, "ADD n :v", strconv.Itoa(many))
}

func (d dynamoDB) expire(t *testing.T, part, sort string) {
	t.Helper()
	d.update(t, part, sort, "SET expires = :v", strconv.FormatInt(time.Now().Add(-time.Minute).Unix(), 10))
}

// update changes a row behind the ledger's back.
func (d dynamoDB) update(t *testing.T, part, sort, change, value string) {
	t.Helper()
	_, err := d.Client().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName:                 aws.String(ledgertest.Table),
		Key:                       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: part}, "sk": &types.AttributeValueMemberS{Value: sort}},
		UpdateExpression:          &change,
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberN{Value: value}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A write whose reply is lost is tried again by the SDK, and finds itself.
func TestDynamoDBLostReply(t *testing.T) {
	t.Parallel()
	lost := 0
	l := through(t, func(asked, _ string) bool {
		if asked == "PutItem" {
			lost++
		}
		return asked != "PutItem" || lost > 2
	})
	saved, err := l.Save(t.Context(), "baidu.bj.havip-1", []byte("1"), 0)
	if err != nil || lost != 3 {
		t.Errorf("saved at %d, %v, at try %d", saved, err, lost)
	}
	if text, rev, err := l.Load(t.Context(), "baidu.bj.havip-1"); string(text) != "1" || rev != saved || err != nil {
		t.Errorf("there is %q at %d, %v; want revision %d", text, rev, err, saved)
	}
}

// What functions do needs the rights that the template's LedgerPolicy gives them, each
// of them, and no index.
func TestDynamoDBRights(t *testing.T) {
	t.Parallel()
	var used []string
	l := through(t, func(asked, body string) bool {
		if strings.Contains(body, `"IndexName"`) {
			asked += " on an index"
		}
		if !slices.Contains(used, asked) {
			used = append(used, asked)
		}
		return true
	})
	everything(t, l)
	slices.Sort(used)
	if want := []string{"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}; !slices.Equal(used, want) {
		t.Errorf("it did %q, want %q", used, want)
	}
}

// A page is one query, however many stories there are.
func TestDynamoDBPage(t *testing.T) {
	t.Parallel()
	asked := 0
	testPage(t, through(t, func(string, string) bool { asked++; return true }), &asked)
}

// through opens a ledger by a proxy, which sees what is asked and loses the replies
// that pass does not let through.
func through(t *testing.T, pass func(operation, body string) bool) dynamoDB {
	t.Helper()
	s := ledgertest.DynamoDB(t)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: s.Host})
			body, _ := io.ReadAll(r.In.Body)
			r.Out.Body = io.NopCloser(bytes.NewReader(body))
			_, operation, _ := strings.Cut(r.In.Header.Get("X-Amz-Target"), ".")
			if !pass(operation, string(body)) {
				r.Out.Header.Set("X-Lost", "true")
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Header.Get("X-Lost") != "" {
				return errors.New("lost")
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	})
	t.Cleanup(proxy.Close)
	l, err := ledger.OpenDynamoDB(t.Context(), ledgertest.TableAt(proxy.Listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	return dynamoDB{l, s}
}

// What is forgotten has its expiry, which the table's TTL deletes by; records and what
// is merely counted have none.
func TestDynamoDBForgets(t *testing.T) {
	t.Parallel()
	d := dynamoDBAt(t, ledgertest.DynamoDB(t))
	kept := remembered(t, d)
	all, err := d.Client().Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(ledgertest.Table)})
	if err != nil || len(all.Items) != 9 {
		t.Fatalf("%d rows, %v", len(all.Items), err)
	}
	for _, row := range all.Items {
		part := row["pk"].(*types.AttributeValueMemberS).Value
		expires, has := row["expires"].(*types.AttributeValueMemberN)
		unix := int64(0)
		if has {
			unix, _ = strconv.ParseInt(expires.Value, 10, 64)
		}
		kept.check(t, part, unix)
	}
}

func TestOpenDynamoDB(t *testing.T) {
	t.Parallel()
	s := ledgertest.DynamoDB(t)
	for address, want := range map[string]string{
		"dynamodb://" + ledgertest.Table + "?endpoint=http://" + s.Host:                "no region is known",
		"dynamodb://another?region=eu-west-1&endpoint=http://" + s.Host:                "deploy/aws/template.yaml makes it",
		"dynamodb://" + ledgertest.Table + "?region=eu-west-1&endpoint=http://[::1]:1": "can't be reached",
		"dynamodb://x?region=eu-west-1":                                                "not an address",
		"dynamodb://u:a-password@table":                                                "not an address",
		"dynamodb://table/more?region=eu-west-1":                                       "not an address",
	} {
		if _, err := ledger.OpenDynamoDB(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "a-password") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
