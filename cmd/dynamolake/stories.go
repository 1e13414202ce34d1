package main

// story says when an operator turns a setting, and which way.
type story struct {
	setting string // of all commands that have it, or "<command> <setting>" for one
	unit    string // of a number; durations and sizes carry theirs
	when    string
}

// storyOf finds the story of a command's setting.
func storyOf(command, setting string) (found story) {
	for _, s := range stories() {
		switch s.setting {
		case command + " " + setting:
			return s
		case setting:
			found = s
		}
	}
	return found
}

// stories are told in the order of docs/configuration.md, which is made of them. Each setting has one.
func stories() []story {
	return []story{
		// Shared by several commands.
		{"table", "", "Always. One command works on one table; all members of a fleet must agree."},
		{"lake", "", "Always. All commands and members that work on one lake must give the same."},
		{"app", "", "Two fleets read one table into two lakes: each needs a lease table of its own. Give every command of a fleet the same."},
		{"state", "", "The store does not know conditional changes of an object: `dynamodb` keeps the ledger in a table. Decide before the first run, and say the same to all commands."},
		{"output", "", "A program reads the result: `json`."},
		{"json", "", "A program reads the result."},
		{"log-level", "", "`debug` while you look for the cause of something; `warn` where a fleet's state changes are noise."},
		{"log-format", "", "Logs go to a machine: `json`."},
		{"listen", "", "You have Prometheus or probes, or want to see the fleet in a browser: an address that they reach, and nobody else."},
		{"memory", "", "Raise it when reading stands still with much to read; lower it, well below the container's limit, when the process is killed for memory. It is one bound, whatever the number of shards."},
		{"schema", "", "A table holds several kinds of things, or something in it must not be seen in the lake: a schema file. `none` where nobody wants columns. All commands that write into a lake must give the same."},
		{"max-columns", "columns", "Readers cannot cope with wide tables: lower it. What gets no column is in `_rest`."},
		{"max-rejects", "records", "Data that no rule can place shall stop the command before there is much of it: 0 stops at the first."},
		{"hash-salt", "", "The schema hashes attributes. It is a secret: keep it in the platform's store of secrets, and never change it, or the same value hashes to something else."},
		{"old-image", "", "You want the image before each change as well. The stream must carry it (NEW_AND_OLD_IMAGES); files grow by about as much again."},

		// Exports, and the repair of gaps by them.
		{"window", "", "Freshness against cost: shorter is fresher, and AWS bills at least 10 MB a window."},
		{"in-flight", "exports", "Raise it when there is much to catch up with, lower it where other exports of the account need the room: AWS limits how many there are at once."},
		{"export-bucket", "", "Exports shall not go to the lake's bucket, or the lake is in a folder."},
		{"export-prefix", "", "The bucket of exports has a place for them that is not the lake's prefix."},
		{"export-bucket-owner", "", "The bucket of exports belongs to another account."},
		{"export-sse", "", "Policy asks for another encryption of exports than the bucket's own."},
		{"export-kms-key", "", "Exports are encrypted by a key of your own; the roles need `kms:GenerateDataKey` and `kms:Decrypt` on it."},
		{"keep-raw", "", "`false` when nobody needs what AWS exported beside the rows: it saves its storage, and takes away what a conversion could be repeated from."},
		{"export-poll", "", "Lower it in tests; raise it where calls to AWS are counted. An export takes minutes at least."},

		// bootstrap.
		{"enable", "", "The first run on a table whose point-in-time recovery or stream is off; without it the command ends and says what to turn on."},
		{"no-stream", "", "Nobody will read the stream: windows of incremental exports follow the full one."},
		{"again", "", "The lake is to start anew from another full export, behind changes that nothing has any more."},
		{"from-export", "", "The export is there already, made by somebody else."},
		{"same-table", "", "The export that you import is of another table, or of an earlier one of the name, and that is what you want."},
		{"no-changes-between", "", "The window that you import begins later than the lake ends, and you know that nothing was written in between."},

		// incremental.
		{"follow", "", "It shall not end: windows are made for good. Leave it off under a scheduler of your own."},
		{"check-rows", "rows", "Raise it when exports have more rows than are remembered and you want all old images compared; 0 where the memory is needed elsewhere."},
		{"trust-order", "", "A difference of old images was looked into, and the table shall go on: a window is missing unless you know better."},

		// consume.
		{"consume table", "", "Always, unless there is `--tables-file`: the names of all tables that the fleet reads, the same for all its members."},
		{"tables-file", "", "The fleet's tables are many, or differ in their schemas or old images; or there is one now, and will be more: such a fleet can grow."},
		{"worker-id", "", "You want to recognise a worker in `dynamolake status`. It must be unique, and new for each process."},
		{"initial", "", "The first start of a fleet: where it begins. Afterwards what is in the lease table wins; see `dynamolake checkpoint rewind`."},
		{"on-gap", "", "`stop` where a person must decide before changes are passed over; `continue` where exports are not to be had and freshness matters more."},
		{"repair", "", "`on` makes a start fail where gaps could not be repaired; `off` leaves repairs to `dynamolake incremental`."},
		{"flush-interval", "", "Freshness against number of files: a batch waits for size first, and for this at the longest. Raise it on many quiet shards, lower it for fresher reads."},
		{"flush-rows", "rows", "Files of busy shards are too small or too large for your engine."},
		{"flush-bytes", "", "As `--flush-rows`, where rows are large. More than a quarter of `--memory` by the number of processors has no effect."},
		{"poll-max", "", "Lower it when a change on a shard long idle must be seen sooner, at the price of more calls; raise it where thousands of shards are idle."},
		{"lease-duration", "", "How soon a dead worker's shards are taken, against how long a live one may be cut off from DynamoDB: raise it where workers are starved of CPU."},
		{"lease-renew", "", "Java KCL workers share the table: below a third of their failoverTimeMillis. Else longer saves writes."},

		// health.
		{"health listen", "", "The worker listens elsewhere. In a container both take the same variable."},
		{"ready", "", "You wait for a worker to keep up, in a script."},
		{"started", "", "A platform shall take the old worker away only when the new one has joined, and never kill one that catches up: the health check of an image or a task."},
		{"timeout", "", "The machine is so slow that a living worker answers late."},

		{"pprof", "", "A worker takes more time or memory than you can explain."},
		{"ready-headroom", "", "`/readyz` shall warn of a gap to come sooner (raise it) or later (lower it)."},
		{"ready-stall", "", "Raise it where the lake or the stream refuse for minutes as a rule, and nobody shall be called for it."},

		// status.
		{"status lake", "", "You want to see gaps, and what the lake covers, as well; without it only the lease table is read."},
		{"shards", "", "You look for one shard, not for the state of the fleet."},

		// snapshot.
		{"filter", "", "A question needs some items only: AWS exports no others. For a lake that is kept, use a dataset's filter in the schema file instead, which sees items that stop matching."},
		{"key-condition", "", "All items wanted have one partition key: AWS then reads no others."},
		{"attributes", "", "A few attributes will do. The key comes in any case."},
		{"names", "", "An attribute's name is a reserved word, or has characters that expressions do not take."},
		{"values", "", "Whenever an expression compares with something: values never stand in it by themselves."},
		{"snapshot enable", "", "Point-in-time recovery is off, and shall be on from now; without it the command ends and says how to turn it on."},
		{"snapshot into", "", "Always. A new name for each snapshot; the same name and filter go on with one that was ended before it was through."},

		// checkpoint.
		{"shard", "", "One shard is in question, not all."},
		{"checkpoint show lake", "", "You want to know whether the checkpoint and the files agree."},
		{"to", "", "How far back to look: before what is missing. It is rounded to where a file ends; further back costs a longer walk and nothing else."},
		{"dry-run", "", "Before every real run."},
		{"checkpoint rewind backup", "", "The current folder is no place for it, as in a container: a mounted folder."},
		{"checkpoint move to", "", "Always: the `--app` of the fleet of several, which is `dynamolake` where nothing else is said."},
		{"checkpoint restore backup", "", "Always: the file that the rewind named."},

		// schema.
		{"key", "", "AWS is not to be asked: the schema is made or checked where there are no credentials, as in CI."},
		{"from", "", "`table` where there is neither an export nor a lake, at the price of a scan of some items."},
		{"export", "", "There is an export: it tells as much as the table, and reading it costs the table nothing."},
		{"schema infer items", "items", "Raise it where rare attributes are missed; lower it where reading takes too long."},
		{"schema check items", "items", "As for `schema infer`."},
		{"schema infer max-columns", "columns", "Items have more attributes than your engine likes columns: the rarest stay in `_rest`."},
		{"out", "", "You want a file to edit, and not to overwrite one that you have edited."},
		{"schema check schema", "", "Always: the file that you are about to give to a command."},
		{"schema check hash-salt", "", "You want hashes in computed columns to be what they will be; a check needs none."},
		{"sample", "", "Before a schema goes live: it shows which items would be rejects, and which values would stay in `_rest`."},
		{"schema diff schema", "", "Before you give it to a command: it says which version that would write."},
		{"version", "version", "You look at an earlier version than the newest, as after a change that surprised you."},
		{"with-version", "version", "Two versions of the lake are to be compared, and no file."},
		{"format", "", "`table` to see which columns have values of other types, which stay in `_rest`."},
		{"sample-rows", "rows", "Raise it where misfits are rare; 0 where nothing is to be read."},
		{"history", "", "You want to know when a column came, and with which version."},

		// replay.
		{"into", "", "You look at what a replay wrote, not at the table's own datasets: the name that you gave to the replay."},
		{"replay into", "", "Always. A new name for each replay; the same name goes on with one that was ended before it was through."},
		{"replay from", "", "What the stream still has is to be written again: `TRIM_HORIZON`, or the time before which all was well."},
		{"from-checkpoint", "", "You kept what `checkpoint list --json` said before a change, and want all that came after it again."},
		{"replay shard", "", "You know which shards are in question."},
		{"replay window", "", "A window of exports is to be converted again, under another schema."},
		{"replay export", "", "As `--window`, for a full export, or where you know the export's id."},
		{"rejects", "", "The schema was mended, or this version reads what an earlier one could not."},
		{"replay lake", "", "Always: the lake that the table is read into."},
		{"replay memory", "", "Raise it when a replay takes too long; lower it, below the container's limit, when the process is killed for memory."},

		// verify.
		{"depth", "", "`names` for a quick look, or where reading every file costs too much; `rows` before you rely on a lake that was copied or restored."},
		{"against-table", "", "You want the state compared with the table as it is, at the price of a scan."},
		{"against-export", "", "As `--against-table`, with a full export instead: it costs the table nothing, and is as old as the export."},
		{"rcu", "read units/s", "Lower it where the scan takes capacity from the table's users, raise it where it takes too long."},
		{"settle", "", "Raise it where the fleet needs longer than this to bring a change into the lake, as with a long `--flush-interval`."},
		{"verify dataset", "", "One dataset is what you rely on, or another one is too young to be compared."},
		{"verify hash-salt", "", "The schema hashes attributes, and you compare: without the salt nobody can tell what the lake should have."},
		{"verify schema", "", "You compare, and a filter looks things up in a file: the schema is in the lake, that file is not."},
		{"verify memory", "", "Raise it when comparing takes many passes; lower it, below the container's limit, when the process is killed for memory."},
		{"changes-only", "", "The lake has no full export, and shall not have one."},
		{"verify max-rejects", "records", "0 where any record in `rejects/` shall fail the proof; -1 where they are looked at elsewhere."},

		// advise.
		{"advise table", "", "You want the facts from AWS; `--offline` does without."},
		{"advise lake", "", "You want the commands to start with your own address in them."},
		{"freshness", "", "How much it matters to you that a change is in the lake soon: more speaks for the stream."},
		{"engineering", "", "How much it matters to you to have little to run: more speaks for exports."},
		{"cost", "", "How much the monthly bill matters to you."},
		{"volume", "", "How much it matters to you that the table may be large or grow."},
		{"downstream", "", "How much your readers need each change rather than a state: more speaks for the stream."},
		{"items", "items", "`--offline`, or the table will grow and you plan for then."},
		{"size", "", "As `--items`."},
		{"writes-per-second", "writes/s", "As `--items`; also where CloudWatch has no days like those to come."},
		{"open-shards", "shards", "As `--items`."},
		{"fresh-within", "", "Something breaks when the lake is older than that: patterns that cannot keep it are ruled out."},
		{"full-every", "", "You consider full exports alone, and want to see what more or fewer of them cost."},
		{"advise window", "", "You consider incremental exports, and want to see what their length costs."},
		{"advise flush-interval", "", "You consider the stream, and want to see what fresher files cost."},
		{"workers", "workers", "You know how many members the fleet will have: it is what the containers cost."},
		{"prices", "", "Another region's prices, or your own discounts, are to be reckoned with."},
		{"offline", "", "There is no account yet, or none that may be asked."},
		{"explain", "", "You want to argue with a score: it says why each is what it is."},

		// demo.
		{"break", "", "You want to see that the check at the end can fail."},
		{"seed", "", "Another run of writes than the last; the same seed makes the same."},
		{"length", "", "Longer for more history, shorter for a quick look."},
		{"verbose", "", "You want to see what the workers say."},
	}
}
