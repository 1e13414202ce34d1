package adapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

type page struct {
	records []types.Record
	next    string // "" at the end of a closed shard
}

// parsePage cuts a GetRecords body into records. Data is each record's own text,
// byte for byte.
func parsePage(body []byte) (page, error) {
	var cut struct {
		NextShardIterator string            `json:"NextShardIterator"`
		Records           []json.RawMessage `json:"Records"`
	}
	if err := json.Unmarshal(body, &cut); err != nil {
		return page{}, fmt.Errorf("decode the page: %w", err)
	}
	if cut.Records == nil {
		// Without this, any stray JSON object would read as the end of the shard.
		return page{}, errors.New("decode the page: it has no Records")
	}
	p := page{next: cut.NextShardIterator, records: make([]types.Record, 0, len(cut.Records))}
	for i, text := range cut.Records {
		r, err := parseRecord(text)
		if err != nil {
			return page{}, fmt.Errorf("decode record %d of the page: %w", i, err)
		}
		p.records = append(p.records, r)
	}
	return p, nil
}

func parseRecord(text json.RawMessage) (types.Record, error) {
	var record struct {
		Dynamodb struct {
			ApproximateCreationDateTime float64                      `json:"ApproximateCreationDateTime"` // seconds
			Keys                        map[string]map[string]string `json:"Keys"`
			SequenceNumber              string                       `json:"SequenceNumber"`
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return types.Record{}, err
	}
	d := record.Dynamodb
	if !digits(d.SequenceNumber) {
		return types.Record{}, fmt.Errorf("its sequence number is %q", d.SequenceNumber)
	}
	key, err := canonical(d.Keys)
	if err != nil {
		return types.Record{}, err
	}
	return types.Record{
		SequenceNumber:              aws.String(d.SequenceNumber),
		ApproximateArrivalTimestamp: aws.Time(time.UnixMilli(int64(d.ApproximateCreationDateTime * 1000)).UTC()),
		PartitionKey:                aws.String(key),
		Data:                        text,
	}, nil
}

// canonical writes a key the same way for the same item: attribute names in byte
// order, no white space, nothing escaped that need not be.
func canonical(keys map[string]map[string]string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(keys); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}
