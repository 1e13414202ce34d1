// Package ion turns the text ION of an export into DynamoDB JSON, so that all
// behind it reads one format: [Reader] is laid over a data file, and what comes
// out are the lines that an export as DYNAMODB_JSON would have.
//
//	$ion_1_0 {Item:{Id:103.,Tags:$dynamodb_SS::["a","b"]}}
//	{"Item":{"Id":{"N":"103"},"Tags":{"SS":["a","b"]}}}
//
// # What becomes of a value
//
//	string, symbol             S
//	int, decimal, float        N
//	blob                       B
//	$dynamodb_SS::[...]        SS, and so NS and BS
//	list without annotation    L
//	struct                     M
//	bool                       BOOL
//	null                       NULL
//
// Numbers come out in the one form that DynamoDB writes: plain digits, no needless
// zero; and with every digit that they have, more than the service's 38 too. An
// exponent is left only where a number is far out of the service's range: whoever reads
// the line decides about that. A decimal's spelling (6d2) is not DynamoDB's, so
// nothing is lost with it.
//
// All else (clob, timestamp, sexp, typed nulls, other annotations, not-a-number) is
// nothing that the service writes, and ends the reading with an error that names
// the line. So does malformed ION.
//
// # Lines
//
// An item is a line. The version marker in front of it may be missing. An incremental
// export wraps Keys, Metadata and images into a Record; that is taken off, and may
// be missing too. Other fields around the images are left out, and so are those
// in Metadata but for WriteTimestampMicros. Whether a line has what it should
// is for its reader to say.
//
// A line is held in memory, the file never is.
//
// # What the ion module gets wrong
//
// It takes each half of an escaped surrogate pair for a character of its own, and
// replaces both. So such pairs are put together before it sees them; a half that is
// alone, which no string of DynamoDB can have, is an error. And it takes a field name in
// double quotes like "$4" for a symbol id, which would be another name: that too
// is an error. The service is not known to write either.
package ion
