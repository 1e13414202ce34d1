package adapter

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// iterator is all there is to know about a reader, and travels through the
// Worker as the ShardIterator. So it outlives the 15 minutes of the service's
// own iterator, which is only one field of it.
type iterator struct {
	Shard string
	// Type, Seq and Time are the position to ask the service for if Upstream is
	// empty or expired. After each record that is AFTER_SEQUENCE_NUMBER of it.
	Type streamtypes.ShardIteratorType
	Seq  string    `json:",omitzero"`
	Time time.Time `json:",omitzero"`
	// Fresh: the reader has not begun, so it may have to wait for its parent.
	Fresh bool `json:",omitzero"`
	// Ended: the shard is over for this reader.
	Ended    bool   `json:",omitzero"`
	Upstream string `json:",omitzero"`
}

func (it iterator) String() string {
	text, err := json.Marshal(it)
	if err != nil {
		// Only a Time of the year 10000 or later gets here, and the parser below
		// refuses the empty text by name.
		return ""
	}
	return string(text)
}

func parseIterator(text *string) (iterator, error) {
	var it iterator
	if err := json.Unmarshal([]byte(aws.ToString(text)), &it); err != nil || it.Shard == "" {
		return it, fmt.Errorf("adapter: get records: %w", &types.InvalidArgumentException{
			Message: aws.String("the shard iterator is not one of this client's"),
		})
	}
	return it, nil
}

// reached moves the position behind the record with sequence number seq.
func (it *iterator) reached(seq string) {
	it.Type, it.Seq, it.Time = streamtypes.ShardIteratorTypeAfterSequenceNumber, seq, time.Time{}
}
