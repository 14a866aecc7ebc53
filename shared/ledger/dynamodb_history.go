package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"havip-functions/shared/havip"
)

// The indexes of the table, by the time at which a story ended: of the stories on one
// shelf, read consistently, and of all with the strays, which may lag a second.
const (
	historyIndex = "history"
	everyIndex   = "every"
)

func shelfPart(shelf string) string { return "stories:" + shelf }

// Archive implements [havip.Ledger].
func (d *DynamoDB) Archive(ctx context.Context, s havip.Story) error {
	story, err := json.Marshal(s)
	if err != nil {
		return err
	}
	i := row(shelfPart(s.HAVIP.Shelf()), s.ID).expires(Keep)
	i[valueText], i[everyone], i[endedAt] = blob(story), text(everyone), text(listed(s))
	_, err = d.put(ctx, i)
	return err
}

// Story implements [Ledger].
func (d *DynamoDB) Story(ctx context.Context, id string) (s havip.Story, err error) {
	if !havip.IsStoryID(id) {
		return s, ErrNotFound
	}
	found, err := d.get(ctx, row(shelfPart(id[:shelfLen]), id))
	if err == nil && found == nil {
		found, err = d.get(ctx, valueRow(havip.StrayKey(id)))
	}
	if err != nil {
		return s, err
	}
	return found.story()
}

// story reads the story of a row: one that was archived, or that of a stray.
func (i item) story() (s havip.Story, err error) {
	if !strings.HasPrefix(i.text(partKey), "value:") {
		if i == nil {
			return s, ErrNotFound
		}
		return s, json.Unmarshal(i.value(), &s)
	}
	var record havip.Record
	err = json.Unmarshal(i.value(), &record)
	if err == nil && record.Story == nil {
		err = ErrNotFound
	}
	if err != nil {
		return s, err
	}
	return *record.Story, nil
}

// Stories implements [Ledger]. A place is the last one told, as it is listed.
func (d *DynamoDB) Stories(ctx context.Context, key, from string, most int) (found []havip.Story, next string, err error) {
	if !isListed(from) {
		return nil, "", badPlace(from)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pages := dynamodb.NewQueryPaginator(d.client, d.history(key, from, most))
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, "", dynamoKind(err)
		}
		for _, i := range page.Items {
			s, err := item(i).story()
			switch {
			case item(i).gone(), errors.Is(err, ErrNotFound):
				continue
			case err != nil:
				return nil, "", err
			case key == "" || s.HAVIP.String() == key: // two HAVIPs may share a shelf
				found = append(found, s)
			}
			if len(found) == most {
				return found, item(i).text(endedAt), nil
			}
		}
	}
	return found, "", nil
}

// history asks for the stories of a HAVIP or of all, below a place, the newest first.
func (d *DynamoDB) history(key, from string, most int) *dynamodb.QueryInput {
	q := &dynamodb.QueryInput{
		TableName: d.table, ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(most)),
		IndexName: aws.String(everyIndex), KeyConditionExpression: aws.String("every = :list AND ended < :from"),
		ExpressionAttributeValues: item{":list": text(everyone), ":from": text("~")}, // behind every place
	}
	if from != "" {
		q.ExpressionAttributeValues[":from"] = text(from)
	}
	if key != "" {
		q.IndexName, q.ConsistentRead = aws.String(historyIndex), aws.Bool(true)
		q.KeyConditionExpression = aws.String("pk = :list AND ended < :from")
		q.ExpressionAttributeValues[":list"] = text(shelfPart(shelfOf(key)))
	}
	return q
}
