// Package bootstrap brings whole tables, and time that a stream has lost, into the
// lake from DynamoDB's own exports: full and incremental. Exports cost the table no
// capacity, and reach back 35 days where a stream reaches back one.
//
// # How an export becomes rows, once
//
// An export goes through the states of [ledger.Status]. Each step ends with one
// change of the ledger or with objects under names that follow from the export, so
// any number of workers may take any step together, and a worker may die
// between any two.
//
//	planned    it is in the ledger, with its times
//	running    ExportTableToPointInTime has its ARN
//	exported   AWS says COMPLETED, its manifests make sense, and the version of the
//	           table's schema is chosen
//	converted  all its rows are in the lake
//
// Planned to running: the call bears a client token that is the hash of
// what is asked for ([token]). Who asks again within eight hours gets the
// same export. The time of asking is in the ledger before the first call; a worker that finds
// it older than the token lives looks among the table's exports first.
//
// Running to exported: AWS is asked until it says COMPLETED; presence of
// objects means nothing. The manifests must match their checksums, the table, and the
// ledger's times. They alone say what belongs to the export: nothing is listed.
//
// Before that step the first thousands of items of some data files are looked at, and attributes that have no
// column get theirs where the schema lets them ([workshop.learn]). The version of the schema that comes of it is in the ledger from
// then on. All workers convert with that one, whatever they know to be newer, so it does not
// matter who converts what.
//
// Exported to converted: each data file becomes one Parquet file in each dataset, of a name made of
// the export's id and the data file's. Workers take the files in random order and skip what
// is there. A file streams from S3 through MD5, gunzip and decoder
// into the Parquet files of all datasets at once; these appear only when checksum, line count and the end
// of the gzip stream are as the manifest says, one after the other: who comes after a crash in between makes
// those that are missing. A dataset that has no row of a data file has a file without rows, which says so. A damaged or broken
// file is read anew a few times;
// then everything stops with its name, and nothing of it is in the lake.
// Lines that make no sense, that a dataset refuses or that none takes are in rejects/ before that. At last a record of the whole
// export goes to _ledger/exports/, then the ledger says converted.
//
// A window is converted when those before it in its epoch are; any number may be
// exported meanwhile.
//
// # The order of windows, checked
//
// The old image in an incremental export is the item as it was when the window
// began. So it must be what the export right before it left. The conversion
// compares the two where it can ([oldImages]), which takes a dataset that has all of the table as it is; a difference means that a window is missing or in the wrong
// place, and nothing goes on behind it.
//
// # The overlap
//
// A window that repairs the stream begins a little before what was lost. What was
// inserted there, is in the lake, and was deleted in the window is not in the
// export at all. Before the last window of such an epoch is
// recorded, the table is asked for these items, and those that it does not have get a REMOVE ([tail]), in each
// dataset that had them. A dataset with a filter asks what has become of its items, too: one that stopped to match
// is as good as gone.
//
// # The full export
//
// [Bootstrap] records the position of the stream before it asks for the export,
// and waits until the export's time is [ledger.Timing.Overlap] behind it. So the
// consumer can read while AWS exports, and no change falls between the two. The export's
// time is chosen once, and is in the ledger before AWS is asked.
//
// # Snapshots
//
// With a [Filter] AWS exports a part of the table. Such an export goes into a place of its own, with a ledger of its own, and nothing
// follows it there: an item that stops to match leaves no trace in a filtered window. No other lake takes one, as far as AWS or the manifest says
// what it is.
//
// # Errors
//
// [Advice] is what a person must mend, in one line that names the fix. It stops
// the command; where the loop runs beside a consumer, it is logged once
// and looked at again later. All else may pass: it is tried again. What AWS's codes mean is in advice.go.
//
// This package and consumer never import each other; what they have to agree on
// stands in the ledger and in the lease rows.
package bootstrap
