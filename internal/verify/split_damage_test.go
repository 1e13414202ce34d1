package verify

import "strings"

// firstSchema is where the first version of the schema lies.
const firstSchema = "_ledger/schemas/000001.yaml"

func typedDamages() []damageCase {
	return []damageCase{
		{
			name: "a footer does not tell of its columns", schema: typedSchema,
			do: func(w *world) {
				w.swap(w.keys("/all/shard_day=2026-05-01/" + shardB)[0], patch("dynamolake.columns", "dynamolake.colunms"))
			},
			want: map[Kind]string{Footer: shardB},
		},
		{
			name: "a footer of the full export does not tell of its columns", schema: typedSchema,
			do:   func(w *world) { w.swap(w.keys("snapshot/")[0], patch("dynamolake.columns", "dynamolake.colunms")) },
			want: map[Kind]string{Footer: "snapshot/"},
		},
		{
			name: "a column is missing", schema: typedSchema,
			do: func(w *world) {
				w.swap(w.keys("/all/shard_day=2026-05-01/" + shardB)[0], patch(`"column":"value"`, `"column":"valeu"`))
			},
			want: map[Kind]string{Unread: shardB},
		},
		{
			name: "a column is taken for another attribute", schema: typedSchema,
			do: func(w *world) {
				w.swap(w.keys("/all/shard_day=2026-05-01/" + shardB)[0], patch(`"from":["value"]`, `"from":["valeu"]`))
			},
			want: map[Kind]string{SchemaKind: shardB},
		},
		{
			name: "a column is of another type", schema: typedSchema,
			do:   func(w *world) { w.swap(w.keys("window=")[0], patch(`"decimal(9,2)"`, `"decimal(9,3)"`)) },
			want: map[Kind]string{SchemaKind: "window="},
		},
		{
			name: "the schema is gone", schema: typedSchema,
			do:   func(w *world) { w.swap(w.prefix+firstSchema, gone) },
			want: map[Kind]string{SchemaKind: "/after-", Records: "_ledger/exports/"},
		},
		{
			name: "the schema cannot be read", schema: typedSchema,
			do:   func(w *world) { w.swap(w.prefix+firstSchema, func([]byte) []byte { return []byte("datasets: 7") }) },
			want: map[Kind]string{SchemaKind: firstSchema, Records: "_ledger/exports/"},
		},
		{
			name: "a version of the schema is missing", schema: typedSchema, names: true,
			do: func(w *world) {
				w.use(strings.Replace(typedSchema, "9,2", "9,3", 1))
				w.use(strings.Replace(typedSchema, "9,2", "9,4", 1))
				w.swap(w.prefix+strings.Replace(firstSchema, "1", "2", 1), gone)
			},
			want: map[Kind]string{SchemaKind: "000002"},
		},
		{
			name: "a file that is no schema lies among them", schema: typedSchema, names: true,
			do: func(w *world) {
				w.must(w.store.PutNew(w.t.Context(), w.prefix+"_ledger/schemas/1.yaml", []byte("x"), nil))
			},
			want: map[Kind]string{Orphan: "schemas/1.yaml"},
		},
	}
}

func splitDamages() []damageCase {
	chain := func(w *world, dataset, shard string) []string {
		return w.keys("/" + dataset + "/shard_day=2026-05-01/" + shard)
	}
	return []damageCase{
		{
			name: "a file in the middle of one dataset's chain is gone", schema: splitSchema, names: true,
			do:   func(w *world) { w.swap(chain(w, "even", shardA)[1], gone) },
			want: map[Kind]string{Broken: "/even/"},
		},
		{
			name: "one dataset's last file of a shard that ended is gone", schema: splitSchema, names: true,
			do:   func(w *world) { w.swap(chain(w, "seeded", shardA)[2], gone) },
			want: map[Kind]string{Tail: "seeded/" + shardA, Lineage: "seeded/" + shardB},
		},
		{
			name: "the checkpoint is ahead of one dataset", schema: splitSchema, names: true,
			do:   func(w *world) { w.swap(chain(w, "hidden", shardB)[1], gone) },
			want: map[Kind]string{Tail: "hidden/" + shardB},
		},
		{
			name: "the checkpoint is within a file of one dataset", schema: splitSchema, names: true,
			do: func(w *world) {
				w.put(shardB, 12, "1", minute(151))
				w.flushIn("even", shardB, shardA, false)
				w.flushIn("seeded", shardB, shardA, false)
				w.flushIn("log", shardB, shardA, false)
				at := w.tips["even/"+shardB]
				w.put(shardB, 12, "2", minute(152))
				w.flush(shardB, shardA, false)
				w.leases[1].Checkpoint.Seq = at.Digits()
			},
			want: map[Kind]string{Tail: "hidden/" + shardB},
		},
		{
			name: "all files of one dataset in a shard that ended are gone", schema: splitSchema, names: true,
			do: func(w *world) {
				for _, key := range chain(w, "log", shardA) {
					w.swap(key, gone)
				}
			},
			want: map[Kind]string{Tail: "log/" + shardA},
		},
		{
			name: "all files of one dataset in a shard that is read are gone", schema: splitSchema, names: true,
			do: func(w *world) {
				for _, key := range chain(w, "even", shardB) {
					w.swap(key, gone)
				}
			},
			want: map[Kind]string{Tail: "even/" + shardB},
		},
		{
			name: "the first file of one dataset is gone", schema: splitSchema, names: true,
			do:   func(w *world) { w.swap(chain(w, "even", shardA)[0], gone) },
			want: map[Kind]string{Start: "/even/"},
		},
		{
			name: "the first file of a dataset that came later is gone", schema: typedSchema, names: true,
			do: func(w *world) {
				w.use(typedSchema + evenToo)
				w.put(shardB, 12, "1", minute(151))
				w.flush(shardB, shardA, false)
				w.put(shardB, 12, "2", minute(152))
				w.flush(shardB, shardA, false)
				w.swap(chain(w, "even", shardB)[0], gone)
			},
			want: map[Kind]string{Start: "/even/"},
		},
		{
			name: "a dataset begins within a file of another", schema: typedSchema, names: true,
			do: func(w *world) {
				w.put(shardB, 12, "1", minute(151))
				at := w.tips[shardB]
				w.flush(shardB, shardA, false)
				w.use(typedSchema + evenToo)
				w.tips["even/"+shardB] = next(at)
				w.put(shardB, 12, "2", minute(152))
				w.flush(shardB, shardA, false)
			},
			want: map[Kind]string{Start: "/even/"},
		},
		{
			name: "a child was read before its parent in one dataset", schema: splitSchema,
			do: func(w *world) {
				const child = "shardId-00000001777658400000-0000000c"
				w.put(child, 5, "C", minute(10))
				w.flushIn("hidden", child, shardA, false)
			},
			want: map[Kind]string{Lineage: "hidden/shardId-00000001777658400000-0000000c"},
		},
		{
			name: "two files of one dataset hold the same changes", schema: splitSchema, names: true,
			do: func(w *world) {
				w.tips["seeded/"+shardA] = next(w.tips["seeded/"+shardA])
				w.put(shardA, 1, "late", minute(61))
				w.flushIn("seeded", shardA, "", false)
			},
			want: map[Kind]string{Fork: "/seeded/"},
		},
		{
			name: "a file lies in another dataset", schema: splitSchema,
			do: func(w *world) {
				other, _, err := w.store.Get(w.t.Context(), chain(w, "log", shardB)[0])
				w.must(err)
				w.swap(chain(w, "even", shardB)[0], func([]byte) []byte { return other })
			},
			want: map[Kind]string{Footer: "/even/", SchemaKind: "/even/"},
		},
		{
			name: "a file of the full export is gone in one dataset", schema: splitSchema, names: true,
			do:   func(w *world) { w.swap(w.keys("snapshot/hidden/")[0], gone) },
			want: map[Kind]string{Missing: "snapshot/hidden/"},
		},
		{
			name: "a record has no entry of a dataset", schema: splitSchema, names: true,
			do: func(w *world) {
				w.swap(w.records[1], edit(func(r map[string]any) { r["files"] = r["files"].([]any)[1:] }))
			},
			want: map[Kind]string{Counts: "_ledger/exports/", Orphan: "/even/"},
		},
		{
			name: "a dataset without a filter has fewer rows than items", schema: splitSchema,
			do: func(w *world) {
				w.swap(w.records[1], edit(func(r map[string]any) {
					f := r["files"].([]any)[2].(map[string]any) // hidden
					f["rows"], r["rows"] = f["rows"].(float64)-1, r["rows"].(float64)-1
				}))
			},
			want: map[Kind]string{Counts: "window="},
		},
		{
			name: "a dataset has more rows than items", schema: splitSchema,
			do: func(w *world) {
				w.swap(w.records[2], edit(func(r map[string]any) {
					f := r["files"].([]any)[0].(map[string]any)
					f["rows"], r["rows"] = f["rows"].(float64)+2, r["rows"].(float64)+2
				}))
			},
			want: map[Kind]string{Counts: "_ledger/exports/"},
		},
		{
			name: "an export is of another version of the schema than its record says", schema: splitSchema,
			do: func(w *world) {
				w.use(strings.Replace(splitSchema, "== 0", "== 1", 1))
				w.swap(w.records[1], edit(func(r map[string]any) { r["schema"] = 2 }))
			},
			want: map[Kind]string{Footer: "window="},
		},
	}
}

// evenToo is a dataset more.
const evenToo = `
  - name: even
    filter: keys.sk % 2 == 0
`
