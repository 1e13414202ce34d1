// Package transform turns what DynamoDB says into changes, and does no I/O.
//
// DynamoDB says it in two ways: a Streams page, see [Decoder.Decode], and the
// lines of an export, see [Decoder.DecodeExport]. Both are decoded in one pass
// over the bytes as they came. What comes out, a [Change], aliases those bytes:
// nothing is copied, and no attribute is allocated, until the writer encodes the row.
// Whoever holds changes therefore holds the body, or the lines, and pays for
// them in the process's memory budget.
//
// A full export has the item and nothing else: a [Snapshot], without Keys, time or
// old image. A line of an incremental export has what a stream record has, but for
// an operation, which follows from the images that are there. Without old images
// an insert cannot be told from an update, so the caller says which [View] the
// export has; its manifest tells. One change stands for all that happened to the item
// in the window.
//
// # The law
//
// Columns and _rest together rebuild the item, type by type and digit by digit.
// Key attributes have typed columns (S a string, N a decimal(38,9), B binary);
// what a column cannot hold exactly stays in _rest, which is DynamoDB JSON as
// the service wrote it. For INSERT, MODIFY and SNAPSHOT _rest is the new image
// without the key attributes that their columns hold; for REMOVE it is absent,
// unless a key attribute does not fit its column.
//
// The decoder finds the key attributes in the image while it checks it, so that
// [Change.AppendRest] only cuts bytes. [RebuildItem] is the way back, and
// [Canonical] the form to compare items in; both are slow and share nothing with
// the decoder's scanner, so that they can prove it. Bytes are kept as given
// wherever they stay raw: white space, escapes, the spelling of numbers. Only a key
// column demands more, see [KeyValue].
//
// Typed attribute columns will join at [KeySchema.Columns]: an attribute whose
// column holds it exactly leaves _rest as a key attribute does today.
//
// # Order
//
// Only a sequence number orders changes, and only within a shard and its
// ancestors. [Seq] pads it to 40 digits so that text order is numeric order, in
// object names, in the _seq column and in memory alike. The creation time is
// rounded down to a second by the service and never orders anything. An export has
// no sequence numbers and needs none: an item occurs in it once. An incremental one
// tells the microsecond of the item's last write.
//
// # Rejects
//
// A record that is JSON but makes no sense becomes a [Reject] with its raw bytes,
// its reason and, where it can be told, its sequence number. The page goes on. So
// does an export's file behind a line that makes no sense, or is no JSON. What
// makes sense is narrow on purpose, for a row must rebuild its item: the key is
// exactly the table's and the same in Keys and in the image, every value is
// well typed, text is UTF-8, an INSERT or MODIFY has its image. A page that is not JSON, or that
// could be taken for the end of a shard without saying so, is an error; lines of an
// export never are.
package transform
