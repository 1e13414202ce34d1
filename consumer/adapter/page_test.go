package adapter

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParsePageRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                             ``,
		"half a page":                         `{"Records":[`,
		"a page and a half":                   `{"Records":[]}{"Records":[]}`,
		"an object that is no page":           `{}`,
		"a page without its list":             `{"Records":null,"NextShardIterator":"x"}`,
		"a list that does not end":            `{"Records":[{"dynamodb":{"SequenceNumber":"1"}}`,
		"a string that does not end":          `{"Records":[],"NextShardIterator":"x\"}`,
		"an iterator that is no string":       `{"Records":[],"NextShardIterator":7}`,
		"a member without value":              `{"Records":[],"NextShardIterator":}`,
		"a member without colon":              `{"Records":[],"NextShardIterator" "x"}`,
		"a trailing comma":                    `{"Records":[],}`,
		"a record that is no object":          `{"Records":["x"]}`,
		"a record without sequence number":    `{"Records":[{"eventID":"1","dynamodb":{"Keys":{"pk":{"S":"a"}}}}]}`,
		"a sequence number that is no number": `{"Records":[{"dynamodb":{"SequenceNumber":"12x"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			// A page that is not understood must not read as the end of the shard.
			if p, err := parsePage([]byte(body)); err == nil {
				t.Errorf("taken for a page of %d records, next %q", len(p.records), p.next)
			}
		})
	}
}

func TestParsePageKeepsTheTextOfEachRecord(t *testing.T) {
	text := ` {"dynamodb" : {"SequenceNumber":"123","ApproximateCreationDateTime":1.763884800E9,` +
		"\n" + `"Keys":{"pk":{"S":"<\u00e9&\"\\"}}, "NewImage":{"pk":{"S":"x\\"}, "n":{"N":"1.50"}}} }`
	p, err := parsePage([]byte(`{"Records":[` + text + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	r := p.records[0]
	if got := string(r.Data); got != text[1:] {
		t.Errorf("data %s", got)
	}
	if got := *r.PartitionKey; got != `{"pk":{"S":"<é&\"\\"}}` {
		t.Errorf("partition key %s", got)
	}
	if got := r.ApproximateArrivalTimestamp.Unix(); got != 1763884800 {
		t.Errorf("arrived at %d", got)
	}
}

// parseSlowly is parsePage by encoding/json alone.
func parseSlowly(body []byte) (page, error) {
	var p page
	var members, record, change map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return p, err
	}
	if next, ok := members["NextShardIterator"]; ok {
		if err := json.Unmarshal(next, &p.next); err != nil {
			return p, err
		}
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(members["Records"], &texts); err != nil || texts == nil {
		return p, fmt.Errorf("no records: %w", err)
	}
	for _, text := range texts {
		record, change = nil, nil
		if err := json.Unmarshal(text, &record); err != nil {
			return p, err
		}
		if err := json.Unmarshal(record["dynamodb"], &change); err != nil {
			return p, err
		}
		r := types.Record{Data: text, SequenceNumber: aws.String("")}
		if err := json.Unmarshal(change["SequenceNumber"], r.SequenceNumber); err != nil || !digits(*r.SequenceNumber) {
			return p, fmt.Errorf("no sequence number: %w", err)
		}
		if at, ok := change["ApproximateCreationDateTime"]; ok {
			var seconds float64
			if err := json.Unmarshal(at, &seconds); err != nil {
				return p, err
			}
			r.ApproximateArrivalTimestamp = aws.Time(time.UnixMilli(int64(seconds * 1000)).UTC())
		}
		if text, ok := change["Keys"]; ok {
			var keys map[string]map[string]string
			if err := json.Unmarshal(text, &keys); err != nil {
				return p, err
			}
			key, err := canonical(keys)
			if err != nil {
				return p, err
			}
			r.PartitionKey = &key
		}
		p.records = append(p.records, r)
	}
	return p, nil
}

// FuzzParsePage holds the fast parser to the slow one. Both see the input as
// encoding/json writes it, so that no member is named twice.
func FuzzParsePage(f *testing.F) {
	for _, body := range []string{
		`{"Records":[]}`,
		`{"Records":[],"NextShardIterator":"a\"b\\"}`,
		` { "Records" : [ { "dynamodb" : { "SequenceNumber" : "1" } } , {"dynamodb":{"SequenceNumber":"2"}} ] } `,
		`{"\u0052ecords":[{"dynamodb":{"Keys":{"b":{"N":"1"},"a":{"S":"x\\\"{["}},"SequenceNumber":"21","ApproximateCreationDateTime":1.5e9}}]}`,
		`{"Records":[{"eventName":null,"x":[[],{},true,-1.5E+3,[{"a":"]"}]],"dynamodb":{"SequenceNumber":"3"}}],"NextShardIterator":null}`,
		`{"Records":[{"dynamodb":null}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := parsePage(body); err == nil && json.Valid(body) {
			for _, r := range p.records {
				if !json.Valid(r.Data) {
					t.Errorf("cut record %s out of %s", r.Data, body)
				}
			}
		}
		var decoded any
		if json.Unmarshal(body, &decoded) != nil {
			return
		}
		body, err := json.MarshalIndent(decoded, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		slow, slowErr := parseSlowly(body)
		fast, err := parsePage(body)
		if (err == nil) != (slowErr == nil) {
			t.Fatalf("fast: %v\nslow: %v", err, slowErr)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(slow, fast, cmp.AllowUnexported(page{}), cmpopts.IgnoreUnexported(types.Record{})); diff != "" {
			t.Errorf("slow and fast differ (-slow +fast):\n%s", diff)
		}
	})
}
