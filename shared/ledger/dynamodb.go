package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// DynamoDB is a ledger in a table of Amazon DynamoDB, for functions on the clouds:
// nothing has to run for it. deploy/aws/template.yaml makes the table, and says what
// its keys and indexes are. It is read consistently, but for the history of all.
type DynamoDB struct {
	client *dynamodb.Client
	table  *string
}

var _ Ledger = (*DynamoDB)(nil)

// goodTable tells what may name a table: 3 to 255 characters that a key may have.
func goodTable(name string) bool {
	return len(name) >= 3 && len(name) <= 255 && havip.IsKey(strings.ReplaceAll(name, ".", "-"))
}

// OpenDynamoDB opens the table of dynamodb://TABLE?region=…&endpoint=…, with the
// credentials of the environment, and its region unless it says another.
func OpenDynamoDB(ctx context.Context, address string) (*DynamoDB, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "dynamodb" || !goodTable(u.Host) || u.Path != "" || u.User != nil {
		return nil, errors.New("not an address of DynamoDB; give dynamodb://TABLE, and where needed ?region=REGION")
	}
	region, endpoint := u.Query().Get("region"), u.Query().Get("endpoint")
	c := wire.AWS("DYNAMODB")
	if c.Region = cmp.Or(region, c.Region); c.Region == "" {
		return nil, fmt.Errorf("DynamoDB: no region is known; give dynamodb://%s?region=REGION, or AWS_REGION", u.Host)
	}
	d := &DynamoDB{dynamodb.NewFromConfig(c, func(o *dynamodb.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	}), &u.Host}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := d.Now(ctx); err != nil {
		return nil, fmt.Errorf("DynamoDB's table %s in %s can't be read: %w; deploy/aws/template.yaml makes it", u.Host, c.Region, err)
	}
	return d, nil
}

// Now implements [Ledger]. DynamoDB dates its answers in whole seconds.
func (d *DynamoDB) Now(ctx context.Context) (time.Time, error) {
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: d.table, Key: row("clock", "clock")})
	if err != nil {
		return time.Time{}, dynamoKind(err)
	}
	now, told := middleware.GetServerTime(out.ResultMetadata)
	if !told {
		return now, havip.ErrNoTime
	}
	return now.Add(time.Second / 2), nil
}

func valueRow(key string) item { return row("value:"+key, "value") }

// Load implements [havip.Ledger].
func (d *DynamoDB) Load(ctx context.Context, key string) ([]byte, havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	found, err := d.get(ctx, valueRow(key))
	if err != nil || found == nil {
		return nil, 0, err
	}
	return found.value(), havip.Revision(found.number(revision)), nil
}

// Save implements [havip.Ledger].
func (d *DynamoDB) Save(ctx context.Context, key string, value []byte, rev havip.Revision) (havip.Revision, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	i := valueRow(key).expires(life(key))
	i[valueText] = blob(value)
	if havip.IsStrayKey(key) {
		i.listStray(value)
	}
	fresh, err := d.compareAndSet(ctx, i, rev)
	if err == nil && rev == 0 && havip.IsStrayKey(key) {
		err = d.crowdStrays(ctx, key)
	}
	return fresh, err
}

// compareAndSet writes a value. A revision is never used twice, even after the value
// is lost, because it is at least the time in microseconds; a try that is repeated
// because its reply was lost finds its own nonce, and writes the same again.
func (d *DynamoDB) compareAndSet(ctx context.Context, i item, rev havip.Revision) (havip.Revision, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := time.Now()
	fresh, nonce := max(int64(rev)+1, now.UnixMicro()), rand.Text()
	i[revision], i[onceOnly] = number(fresh), text(nonce)
	condition := "nonce = :nonce OR rev = :rev"
	values := item{":nonce": text(nonce), ":rev": number(int64(rev))}
	if rev == 0 {
		condition = "nonce = :nonce OR attribute_not_exists(pk) OR expires <= :now"
		values = item{":nonce": text(nonce), ":now": number(now.Unix())}
	}
	_, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: d.table, Item: i, ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	if err != nil {
		return 0, dynamoKind(err)
	}
	return havip.Revision(fresh), nil
}

// atOnce is how many writes of one Create are on their way at once.
const atOnce = 16

// Create implements [havip.Ledger]. DynamoDB's own batches know no conditions, and its
// transactions cost twice as much.
func (d *DynamoDB) Create(ctx context.Context, values map[string][]byte) error {
	for key := range values {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(atOnce)
	for key, value := range values {
		all.Go(func() error {
			if _, err := d.Save(ctx, key, value, 0); !errors.Is(err, havip.ErrConflict) {
				return err
			}
			return nil
		})
	}
	return all.Wait()
}

// listStray lists the story of a stray in the history of all.
func (i item) listStray(value []byte) {
	var record havip.Record
	if json.Unmarshal(value, &record) == nil && record.Story != nil { // else it is no stray of ours
		i[everyone], i[endedAt] = text(everyone), text(listed(*record.Story))
	}
}

// crowdStrays gives a new stray its slot, of which there are as many as strays may
// be: whoever had it is the oldest, and goes.
func (d *DynamoDB) crowdStrays(ctx context.Context, key string) error {
	tally, err := d.tally(ctx, "strays", 1, 0)
	if err != nil {
		return err
	}
	slot := row("strays", strconv.FormatInt(tally.number(counted)%MaxStrays, 10)).expires(life(key))
	slot[slotFor] = text(key)
	old, err := d.put(ctx, slot)
	if before := old.text(slotFor); err == nil && before != "" && before != key && !old.gone() {
		err = d.remove(ctx, valueRow(before))
	}
	return err
}
