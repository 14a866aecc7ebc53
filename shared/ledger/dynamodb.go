package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// dynamoDB is a table of Amazon DynamoDB. deploy/aws/template.yaml makes it, and says
// what its keys and indexes are. It is read consistently, but for the history of all.
type dynamoDB struct {
	client *dynamodb.Client
	table  *string
}

// goodTable tells what may name a table: 3 to 255 characters that a key may have.
func goodTable(name string) bool {
	return len(name) >= 3 && len(name) <= 255 && havip.IsKey(strings.ReplaceAll(name, ".", "-"))
}

// OpenDynamoDB opens the table of dynamodb://TABLE?region=…&endpoint=…, with the
// credentials of the environment, and its region unless it says another.
func OpenDynamoDB(ctx context.Context, address string) (*Table, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "dynamodb" || !goodTable(u.Host) || u.Path != "" || u.User != nil {
		return nil, errors.New("not an address of DynamoDB; give dynamodb://TABLE, and where needed ?region=REGION")
	}
	region, endpoint := u.Query().Get("region"), u.Query().Get("endpoint")
	c := wire.AWS("DYNAMODB")
	if c.Region = cmp.Or(region, c.Region); c.Region == "" {
		return nil, fmt.Errorf("DynamoDB: no region is known; give dynamodb://%s?region=REGION, or AWS_REGION", u.Host)
	}
	t := &Table{dynamoDB{dynamodb.NewFromConfig(c, func(o *dynamodb.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	}), &u.Host}}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := t.Now(ctx); err != nil {
		return nil, fmt.Errorf("DynamoDB's table %s in %s can't be read: %w; deploy/aws/template.yaml makes it", u.Host, c.Region, err)
	}
	return t, nil
}

// now is dated in whole seconds.
func (d dynamoDB) now(ctx context.Context) (time.Time, error) {
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: d.table, Key: itemKey("clock", "clock")})
	if err != nil {
		return time.Time{}, dynamoKind(err)
	}
	now, told := middleware.GetServerTime(out.ResultMetadata)
	if !told {
		return now, havip.ErrNoTime
	}
	return now.Add(time.Second / 2), nil
}

func (d dynamoDB) get(ctx context.Context, part, sort string) (row, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: d.table, Key: itemKey(part, sort), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return row{}, dynamoKind(err)
	}
	return rowOf(out.Item), nil
}

func (d dynamoDB) all(ctx context.Context, part string) (found []row, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pages := dynamodb.NewQueryPaginator(d.client, &dynamodb.QueryInput{
		TableName: d.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: item{":pk": text(part)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, dynamoKind(err)
		}
		for _, i := range page.Items {
			found = append(found, rowOf(i))
		}
	}
	return found, nil
}

func (d dynamoDB) put(ctx context.Context, r row) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: d.table, Item: r.item()})
	return dynamoKind(err)
}

func (d dynamoDB) remove(ctx context.Context, r row) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := d.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: d.table, Key: itemKey(r.part, r.sort)})
	return dynamoKind(err)
}

// compareAndSet is tried again by the SDK.
func (d dynamoDB) compareAndSet(ctx context.Context, r row, rev havip.Revision) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	condition := "nonce = :nonce OR rev = :rev"
	values := item{":nonce": text(r.nonce), ":rev": number(int64(rev))}
	if rev == 0 {
		condition = "nonce = :nonce OR attribute_not_exists(pk) OR expires <= :now"
		values = item{":nonce": text(r.nonce), ":now": number(time.Now().Unix())}
	}
	_, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: d.table, Item: r.item(), ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	return dynamoKind(err)
}

func (d dynamoDB) add(ctx context.Context, part, sort string, count, size int) (row, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := d.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: d.table, Key: itemKey(part, sort), ReturnValues: types.ReturnValueUpdatedNew,
		UpdateExpression:          aws.String("ADD #n :n, #size :size"),
		ExpressionAttributeNames:  map[string]string{"#n": counted, "#size": letterLen},
		ExpressionAttributeValues: item{":n": number(int64(count)), ":size": number(int64(size))},
	})
	if err != nil {
		return row{}, dynamoKind(err)
	}
	return rowOf(out.Attributes), nil
}

// The indexes of the table, by the time at which a story ended: of the stories on one
// shelf, read consistently, and of all with the strays, which may lag a second.
const (
	historyIndex = "history"
	everyIndex   = "every"
)

func (d dynamoDB) history(ctx context.Context, part, from string, most int) (found []row, more bool, err error) {
	q := &dynamodb.QueryInput{
		TableName: d.table, ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(most)),
		IndexName: aws.String(everyIndex), KeyConditionExpression: aws.String("every = :list AND ended < :from"),
		ExpressionAttributeValues: item{":list": text(everyone), ":from": text(cmp.Or(from, behindAll))},
	}
	if part != "" {
		q.IndexName, q.ConsistentRead = aws.String(historyIndex), aws.Bool(true)
		q.KeyConditionExpression = aws.String("pk = :list AND ended < :from")
		q.ExpressionAttributeValues[":list"] = text(part)
	}
	page, err := d.client.Query(ctx, q)
	if err != nil {
		return nil, false, dynamoKind(err)
	}
	for _, i := range page.Items {
		found = append(found, rowOf(i))
	}
	return found, len(page.LastEvaluatedKey) > 0, nil
}

// dynamoKind finds out what an error of DynamoDB is.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func dynamoKind(err error) error {
	var api smithy.APIError
	if kind := onTheWay(err); kind != nil || err == nil || !errors.As(err, &api) {
		return cmp.Or(kind, err)
	}
	switch api.ErrorCode() {
	case "ConditionalCheckFailedException":
		return havip.ErrConflict
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "InternalServerError", "ServiceUnavailable":
		return fmt.Errorf("%w: %w", ErrSlow, err)
	case "ItemCollectionSizeLimitExceededException": // 10 GB of one HAVIP's stories
		return fmt.Errorf("%w: %w", ErrFull, err)
	case "ResourceNotFoundException":
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}
