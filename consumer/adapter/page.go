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

// parsePage cuts a GetRecords body into records. Their Data is part of body.
func parsePage(body []byte) (page, error) {
	var p page
	whole := false
	s := &scanner{text: body}
	err := s.members(func(name []byte) error {
		switch string(name) {
		case "NextShardIterator":
			p.next = ""
			return s.decode(&p.next)
		case "Records":
			whole, p.records = true, nil
			return s.elements(func() error {
				r, err := s.record()
				if err != nil {
					return fmt.Errorf("record %d: %w", len(p.records), err)
				}
				p.records = append(p.records, r)
				return nil
			})
		}
		return nil
	})
	switch {
	case err == nil && s.blank() != 0:
		err = errCut
	case err == nil && !whole:
		// Without this, any stray JSON object would read as the end of the shard.
		err = errors.New("it has no Records")
	}
	if err != nil {
		return page{}, fmt.Errorf("decode the page: %w", err)
	}
	return p, nil
}

func (s *scanner) record() (types.Record, error) {
	var r types.Record
	begin := s.i
	err := s.members(func(name []byte) error {
		if string(name) != "dynamodb" {
			return nil
		}
		return s.members(func(name []byte) error {
			switch string(name) {
			case "SequenceNumber":
				r.SequenceNumber = new(string)
				return s.decode(r.SequenceNumber)
			case "ApproximateCreationDateTime":
				var seconds float64
				if err := s.decode(&seconds); err != nil {
					return err
				}
				r.ApproximateArrivalTimestamp = aws.Time(time.UnixMilli(int64(seconds * 1000)).UTC())
			case "Keys":
				var keys map[string]map[string]string
				if err := s.decode(&keys); err != nil {
					return err
				}
				key, err := canonical(keys)
				r.PartitionKey = &key
				return err
			}
			return nil
		})
	})
	if err == nil && !digits(aws.ToString(r.SequenceNumber)) {
		err = fmt.Errorf("its sequence number is %q", aws.ToString(r.SequenceNumber))
	}
	r.Data = s.text[begin:s.i:s.i]
	return r, err
}

// decode reads the next value into v.
func (s *scanner) decode(v any) error {
	text, err := s.value()
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// canonical writes a key the same way for the same item: attribute names in byte
// order, no white space, nothing escaped that need not be.
func canonical(keys map[string]map[string]string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(keys)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}
