// Package schema says which columns a table has, and takes items apart into
// them. It does no I/O and knows no Parquet: it gives the writer leaves with
// definition and repetition levels, and cells to put into them.
//
// # The law
//
// Columns and _rest together rebuild the item, type by type and digit by digit,
// for every item and every schema. So a column takes a value only if the value's
// text can be written again from what the column holds; all else stays in
// _rest, as DynamoDB JSON, the bytes as they came. What stays although there is a
// column for it is a [Misfit], and counted. Never is an item refused for it.
//
//	type                 takes
//	string               S without a lone surrogate
//	int64                N: digits, a minus, no zeros in front, not -0, in range
//	decimal(p,s)         N: the same with a fraction that does not end in zero, if p and s hold all of its digits
//	double               N; one that it rounds is in the column and in _rest
//	bool                 BOOL
//	binary               B whose base64 is the encoder's
//	timestamp(seconds)   N since 1970, as decimal(18,6); also millis and micros
//	timestamp(iso)       S as 2026-11-23T10:00:00Z; (iso,3) and (iso,6) with as many digits
//	date(seconds)        N at a UTC midnight; also millis
//	date(iso)            S as 2026-11-23
//	list<T>, set<T>      L, or SS, NS, BS: whole, if T takes each element
//	struct               M, field by field, see below
//	json                 any value that is plain JSON: no sets, no binary, every number a JSON number
//
// NULL fits json alone, where it is null: in another column null says that the attribute is
// missing. A timestamp is a number of microseconds from the year 1 to 9999.
//
// # Maps
//
// A list or a set is in its column whole or in _rest whole. A map is taken field by
// field: those that fit are in the column, and the remainder stays in _rest
// under the same path. So {"a":{"M":{"x":..,"y":..}}}, whose x has a column, leaves
// {"a":{"M":{"y":..}}}. If nothing remains, the map goes too: the struct, or a
// field of it, that is not null says that there was a map. Columns with a path, as from:
// a.x, do the same without a struct. Where a struct is an element of a list, there is no path to
// leave a remainder under: each must fit whole, or the list stays in _rest.
//
// [Rebuild] is the way back: it puts what the columns hold under the paths that
// they came from. A value that is in its column and in _rest is one that
// a double rounded, and _rest is right.
//
// # The hot path
//
// [Dataset.Plan] compiles a dataset: attribute name to column. A [Run] holds the cells of
// some rows, column by column, as an encoder wants them, and [Run.Shred] adds one
// row in one pass over the image. It allocates nothing once its slices have grown:
// cells alias the image where they can, and an arena where text had to be
// unescaped or base64 decoded. Names are not hashed but compared with the name that followed the
// last time. [Run.AppendRest] only cuts bytes.
//
// The image must have passed package transform's decoder. The walk trusts it,
// and does not look for mistakes of syntax again.
//
// # Files
//
// [Parse] reads a schema file, strictly: what is unknown is a problem, and all [Problems] come at once,
// each with its line. [Schema.YAML] writes one. Field ids count from 1001 per
// dataset and are never used again: see [Schema.Number].
//
// # Growth
//
// A [Sample] watches items. [Infer] makes a schema of it, [Schema.Evolve] the next
// version of one: columns are added, and fields to structs, but nothing is ever changed or
// taken away. Both are pure and depend on nothing but their arguments. Of two
// workers that evolve the same version, one writes it first; the other evolves the
// winner's, and both sets of columns are there. A file may use only a version that
// is written.
package schema
