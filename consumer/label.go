package consumer

import "strings"

// labelOf is the last part of a stream's ARN: when it was turned on. Of two streams of a
// table the one with the greater label is the later.
func labelOf(arn string) string {
	_, label, _ := strings.Cut(arn, "/stream/")
	return label
}
