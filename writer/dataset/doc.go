// Package dataset is the datasets that a table is split into: the versions of its schema in the
// lake, and for each of them what turns changes into files.
//
// # Versions
//
// The versions of a table's schema are objects under _ledger/schemas/, numbered from 1,
// each written once and never changed ([Catalog]). A file of the lake has the number of
// the version that it was made with, and only one that is written. So of two workers that want
// to add a column at once the first writes the next version; the other finds its number
// taken, adds to that, and writes the one behind: both columns are there.
//
// # Sets
//
// A [Set] is one version, compiled: a [Part] for each dataset with its encoder, its filter, masks
// and computed columns. It never changes, so all shards of a worker share it. [Live] is the newest set
// that the worker knows of. Where a file showed attributes that have no column, [Live.Learn] makes the
// next version of what it is shown, and the file is encoded anew: attributes get their
// columns with the first file that has them. A worker whose version is older
// than another's goes on with it until it meets something new itself; every file tells by itself
// which columns it has.
//
// # A change in a dataset
//
// The rule of a part (rule.go) routes the change by its image as it came: not of this dataset,
// a row, or a row of another operation, as when an item no longer matches and so is
// removed there. Then masks, then columns, then what is computed, of the image
// without masks, and at last the columns that are required. What fails on the way is refused: the caller
// makes it a reject before the file is durable.
//
// A change that no dataset takes is nobody's row. [Set.Homeless] finds these, in a pass of its own over
// what is about to be written, and only where there can be any.
package dataset
