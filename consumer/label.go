package consumer

import (
	"strings"
	"time"
)

// labelOf is the last part of a stream's ARN: when it was turned on. Of two streams of a
// table the one with the greater label is the later.
func labelOf(arn string) string {
	_, label, _ := strings.Cut(arn, "/stream/")
	return label
}

// birth is when a stream was turned on; false where its ARN does not tell.
func birth(arn string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02T15:04:05.999", labelOf(arn))
	return t, err == nil
}
