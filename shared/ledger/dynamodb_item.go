package ledger

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is a row as DynamoDB has it. It deletes what has expired some days later.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
type item map[string]types.AttributeValue

func itemKey(part, sort string) item { return item{partKey: text(part), sortKey: text(sort)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func (r row) item() item {
	i := itemKey(r.part, r.sort)
	for name, n := range r.numbers() {
		if *n != 0 {
			i[name] = number(*n)
		}
	}
	for name, s := range r.texts() {
		if *s != "" {
			i[name] = text(*s)
		}
	}
	if r.body != nil {
		i[valueText] = &types.AttributeValueMemberB{Value: r.body}
	}
	if r.ended != "" { // in both indexes
		i[everyone] = text(everyone)
	}
	return i
}

func rowOf(i item) (r row) {
	texts := r.texts()
	texts[partKey], texts[sortKey] = &r.part, &r.sort
	for name, s := range texts {
		if v, ok := i[name].(*types.AttributeValueMemberS); ok {
			*s = v.Value
		}
	}
	for name, n := range r.numbers() {
		if v, ok := i[name].(*types.AttributeValueMemberN); ok {
			*n, _ = strconv.ParseInt(v.Value, 10, 64) // we wrote it
		}
	}
	if v, ok := i[valueText].(*types.AttributeValueMemberB); ok {
		r.body = v.Value
	}
	return r
}
