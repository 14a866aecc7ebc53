package ledger

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"havip-functions/shared/havip"
)

// The names of attributes. What is past its expiry counts as gone: DynamoDB deletes
// it some days later.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
const (
	partKey   = "pk"
	sortKey   = "sk"
	expiry    = "expires" // in seconds of Unix
	valueText = "body"
	endedAt   = "ended"  // the order of both histories: see [listed]
	everyone  = "every"  // the key of the history of all
	revision  = "rev"    // of a value
	onceOnly  = "nonce"  // of the write that made it
	letterLen = "size"   // of a dead letter's bytes, where they are kept
	counted   = "n"      // of a tally
	slotFor   = "holder" // the key of the stray in a slot
)

// item is a row, or the part of it that an operation needs.
type item map[string]types.AttributeValue

func row(part, sort string) item {
	return item{partKey: text(part), sortKey: text(sort)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func blob(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func (i item) text(name string) string {
	s, _ := i[name].(*types.AttributeValueMemberS) // else it is not there
	if s == nil {
		return ""
	}
	return s.Value
}

func (i item) value() []byte {
	b, _ := i[valueText].(*types.AttributeValueMemberB)
	if b == nil {
		return nil
	}
	return b.Value
}

func (i item) number(name string) int64 {
	s, _ := i[name].(*types.AttributeValueMemberN)
	if s == nil {
		return 0
	}
	n, _ := strconv.ParseInt(s.Value, 10, 64) // we wrote it
	return n
}

// expires says when the item may go, and returns it.
func (i item) expires(life time.Duration) item {
	if life > 0 {
		i[expiry] = number(time.Now().Add(life).Unix())
	}
	return i
}

func (i item) gone() bool {
	at := i.number(expiry)
	return len(i) == 0 || at > 0 && at <= time.Now().Unix()
}

// get reads a row, and returns none where it is past its time.
func (d *DynamoDB) get(ctx context.Context, key item) (item, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: d.table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, dynamoKind(err)
	}
	if found := item(out.Item); !found.gone() {
		return found, nil
	}
	return nil, nil
}

func (d *DynamoDB) put(ctx context.Context, i item) (old item, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: d.table, Item: i, ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		return nil, dynamoKind(err)
	}
	return out.Attributes, nil
}

func (d *DynamoDB) remove(ctx context.Context, keys ...item) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, key := range keys {
		if _, err := d.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: d.table, Key: key}); err != nil {
			return dynamoKind(err)
		}
	}
	return nil
}

// all are the rows of a part, without those that are past their time.
func (d *DynamoDB) all(ctx context.Context, part string) (found []item, err error) {
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
			if !item(i).gone() {
				found = append(found, i)
			}
		}
	}
	return found, nil
}

// tally adds to the counters of a row, and returns what they are now.
func (d *DynamoDB) tally(ctx context.Context, of string, n, size int) (item, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := d.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: d.table, Key: row("tally", of), ReturnValues: types.ReturnValueUpdatedNew,
		UpdateExpression:          aws.String("ADD #n :n, #size :size"),
		ExpressionAttributeNames:  map[string]string{"#n": counted, "#size": letterLen},
		ExpressionAttributeValues: item{":n": number(int64(n)), ":size": number(int64(size))},
	})
	if err != nil {
		return nil, dynamoKind(err)
	}
	return out.Attributes, nil
}

// dynamoKind finds out what an error of DynamoDB is.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
func dynamoKind(err error) error {
	var api smithy.APIError
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%w: %w", ErrSlow, err)
	case errors.As(err, &network):
		return fmt.Errorf("%w: %w", ErrGone, err)
	case errors.As(err, &api):
		return dynamoCode(api.ErrorCode(), err)
	}
	return err
}

func dynamoCode(code string, err error) error {
	switch code {
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
