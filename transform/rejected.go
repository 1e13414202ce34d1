package transform

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// AppendRecord appends the change as a record of a stream, which Decode reads again: for
// rejects. It has what the change has, which is not all that the service wrote.
func (c *Change) AppendRecord(dst []byte) []byte {
	dst = append(dst, `{"eventName":"`...)
	dst = append(dst, c.Op.String()...)
	dst = append(dst, '"')
	if c.EventID != nil {
		quoted, _ := json.Marshal(string(c.EventID)) // a string: cannot fail
		dst = append(dst, `,"eventID":`...)
		dst = append(dst, quoted...)
	}
	if c.TTL {
		dst = append(dst, `,"userIdentity":{"Type":"Service","PrincipalId":"dynamodb.amazonaws.com"}`...)
	}
	dst = append(dst, `,"dynamodb":{`...)
	if c.Created != 0 {
		dst = fmt.Appendf(dst, `"ApproximateCreationDateTime":%d`, c.Created/1e6)
		if fraction := c.Created % 1e6; fraction != 0 {
			dst = fmt.Appendf(dst, ".%06d", fraction)
		}
		dst = append(dst, ',')
	}
	image := func(name string, b []byte) {
		if b != nil {
			dst = append(dst, '"')
			dst = append(dst, name...)
			dst = append(dst, `":`...)
			dst = append(dst, b...)
			dst = append(dst, ',')
		}
	}
	image("Keys", c.Keys)
	image("NewImage", c.New)
	image("OldImage", c.Old)
	if c.Size != 0 {
		dst = append(dst, `"SizeBytes":`...)
		dst = strconv.AppendInt(dst, c.Size, 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"SequenceNumber":"`...)
	dst = append(dst, c.Seq.Digits()...)
	return append(dst, `"}}`...)
}
