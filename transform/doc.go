// Package transform turns what DynamoDB says into changes, and does no I/O.
//
// A Streams page is decoded in one pass over the raw response body. What comes
// out, a [Change], aliases that body: nothing is copied, and no attribute is
// allocated, until the writer encodes the row. Whoever holds changes therefore
// holds the body, and pays for it in the process's memory budget.
//
// # The law
//
// Columns and _rest together rebuild the item, type by type and digit by digit.
// Key attributes have typed columns (S a string, N a decimal(38,9), B binary);
// what a column cannot hold exactly stays in _rest, which is DynamoDB JSON as
// the service wrote it. For INSERT and MODIFY _rest is the new image without the
// key attributes that their columns hold; for REMOVE it is absent, unless a key
// attribute does not fit its column.
//
// # Order
//
// Only a sequence number orders changes, and only within a shard and its
// ancestors. [Seq] pads it to 40 digits so that text order is numeric order, in
// object names, in the _seq column and in memory alike. The creation time is
// rounded down to a second by the service and never orders anything.
//
// # Rejects
//
// A record that cannot be decoded becomes a [Reject] with its raw bytes, its
// reason and, where it can be told, its sequence number. The page goes on.
package transform
