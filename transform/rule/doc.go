// Package rule evaluates the expressions of a schema file, in CEL, and hides what the file
// says must not be seen. It does no I/O.
//
// # What an expression sees
//
//	item    map     the new image; empty for a removal
//	old     map     the image before the change; empty if there is none
//	keys    map     the table's key, of every record
//	op      string  INSERT, MODIFY, REMOVE or SNAPSHOT
//	ts      time    when the change was made; 1970 if that is not told
//	source  string  stream, full or incremental
//
// A filter says which items belong to a dataset, and sees item and keys alone: whether an
// item belongs must not depend on how one came to hear of it, or the current state would be wrong. It is
// asked of the old image too, as item.
//
// S is a string, B bytes, BOOL a bool, NULL null, M a map, L and all sets are lists. An N is
// an int where it is whole and fits 64 bits, else a double: the nearest, so more than 17
// digits are rounded where an expression calculates or compares. Two functions do not round:
//
//	item.text("price")              the digits as DynamoDB has them; of S the text, of B its base64
//	item.compare("price", "10.50")  -1, 0 or 1, exactly
//
// Both take a list and an index too. Further there are
// lookup("table", key, "column"), which is null if the table has no such key, the
// functions of CEL's string extension, and optional values: item.?a.orValue("").
//
// An attribute that is missing is an error, as CEL has it: write has(item.a) where it may be.
// An expression that fails makes the record a reject, with a reason that holds
// no content of items.
//
// # Bounds
//
// Each evaluation has a cost limit, in CEL's units, of about one a step and one for
// ten bytes that a function walks over; a step on an item costs no more for
// large items, for an object that is asked often makes an index of itself. CEL has no
// loops but those over what is there. What a call costs is known when it has been made, so functions whose one call could
// be too much are our own, and the pattern of matches is a literal.
//
// # Where a change goes
//
// [Dataset.Route] decides with the pure [Decide]: what the dataset held of the item before,
// what it holds after. An item that stops matching is a REMOVE there, one that begins
// to match an INSERT. Without an old image nobody knows what was held before; then a REMOVE is
// written where the new image does not match. A REMOVE of what is not there harms no reader, a
// missing one does. So a filter that needs no more than the key is best: it is
// always sure.
//
// Order: route by the image as it came, then compute, then [Dataset.Mask], then shred.
// Computed columns see what masks hide, for that is how a domain can be had of an
// address that nobody may see.
package rule
