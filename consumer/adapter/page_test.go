package adapter

import "testing"

func TestParsePageRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                             ``,
		"half a page":                         `{"Records":[`,
		"an object that is no page":           `{}`,
		"a page without its list":             `{"Records":null,"NextShardIterator":"x"}`,
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
		"\n" + `"Keys":{"pk":{"S":"<\u00e9&\"\\"}}, "NewImage":{"pk":{"S":"x"}, "n":{"N":"1.50"}}} }`
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
