package awssim

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

var tableNames = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

// table finds an active table by name or ARN.
func (c *Cloud) table(in node) (*table, error) {
	name := in.get("TableName").text()
	if name == "" {
		return nil, invalid("1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null")
	}
	t := c.tables[tableName(name)]
	if t == nil || time.Now().Before(t.active) {
		return nil, fail(400, "ResourceNotFoundException", "Requested resource not found")
	}
	return t, nil
}

// anyTable finds a table for the control plane, which sees those being created too.
func (c *Cloud) anyTable(in node) (*table, error) {
	name := tableName(in.get("TableName").text())
	t := c.tables[name]
	if t == nil {
		return nil, fail(400, "ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
	}
	return t, nil
}

func (c *Cloud) createTable(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := call.in
	name := in.get("TableName").text()
	if !tableNames.MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", name)
	}
	if c.tables[name] != nil {
		return nil, fail(400, "ResourceInUseException", "Table already exists: %s", name)
	}
	now := time.Now()
	t := &table{
		name:      name,
		arn:       fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", c.cfg.Region, c.cfg.Account, name),
		id:        uuid(c.rng),
		created:   now,
		active:    now.Add(c.cfg.ActiveAfter),
		protected: in.get("DeletionProtectionEnabled").isTrue(),
		parts:     map[string]*partition{},
		lines:     c.newTimelines(name),
	}
	kinds := map[string]kind{}
	for _, d := range in.get("AttributeDefinitions").items() {
		kinds[d.get("AttributeName").text()] = kind(d.get("AttributeType").text())
	}
	used := map[string]bool{}
	var err error
	if t.hash, t.sort, err = keySchema(in.get("KeySchema"), kinds, used); err != nil {
		return nil, err
	}
	for _, group := range []string{"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} {
		for _, g := range in.get(group).items() {
			ix, err := newIndex(g, kinds, used)
			if err != nil {
				return nil, err
			}
			ix.local = group == "LocalSecondaryIndexes"
			t.indexes = append(t.indexes, ix)
		}
	}
	if len(used) != len(kinds) {
		return nil, invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	if err := c.specify(t, in.get("StreamSpecification")); err != nil {
		return nil, err
	}
	c.tables[name] = t
	return c.described(t, "TableDescription"), nil
}

// keySchema reads a key; the kinds are those of AttributeDefinitions.
func keySchema(n node, kinds map[string]kind, used map[string]bool) (hash, sort keyAttr, err error) {
	for i, k := range n.items() {
		name := k.get("AttributeName").text()
		a := keyAttr{name, kinds[name]}
		if a.kind == "" {
			return hash, sort, invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [%s]", name)
		}
		used[name] = true
		switch role := k.get("KeyType").text(); {
		case i == 0 && role == "HASH":
			hash = a
		case i == 1 && role == "RANGE":
			sort = a
		default:
			return hash, sort, invalid("Invalid KeySchema: The element %d is not of its KeyType", i)
		}
	}
	if hash.name == "" {
		return hash, sort, invalid("1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	return hash, sort, nil
}

func newIndex(g node, kinds map[string]kind, used map[string]bool) (index, error) {
	ix := index{name: g.get("IndexName").text(), projection: g.get("Projection").get("ProjectionType").text()}
	var err error
	ix.hash, ix.sort, err = keySchema(g.get("KeySchema"), kinds, used)
	for _, a := range g.get("Projection").get("NonKeyAttributes").items() {
		ix.include = append(ix.include, a.text())
	}
	return ix, err
}

// specify follows a StreamSpecification, where there is one.
func (c *Cloud) specify(t *table, spec node) error {
	if !spec.there() {
		return nil
	}
	if !spec.get("StreamEnabled").isTrue() {
		if spec.get("StreamViewType").there() {
			return invalid("One or more parameter values were invalid: StreamViewType can not be specified when StreamEnabled is false")
		}
		if t.stream != nil {
			c.disableStream(t)
		}
		return nil
	}
	view := spec.get("StreamViewType").text()
	if !slices.Contains([]string{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}, view) {
		return invalid("One or more parameter values were invalid: StreamViewType is required when StreamEnabled is true")
	}
	if t.stream != nil {
		return invalid("Table already has an enabled stream: TableName: %s", t.name)
	}
	c.enableStream(t, view)
	return nil
}

func (c *Cloud) updateTable(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.anyTable(call.in)
	if err != nil {
		return nil, err
	}
	if time.Now().Before(t.active) {
		return nil, fail(400, "ResourceInUseException", "Attempt to change a resource which is still in use: Table is being created: %s", t.name)
	}
	if spec := call.in.get("StreamSpecification"); spec.there() && !spec.get("StreamEnabled").isTrue() && t.stream == nil {
		return nil, invalid("Table is already disabled for streams: TableName: %s", t.name)
	}
	if err := c.specify(t, call.in.get("StreamSpecification")); err != nil {
		return nil, err
	}
	if p := call.in.get("DeletionProtectionEnabled"); p.there() {
		t.protected = p.isTrue()
	}
	kinds := map[string]kind{}
	for _, d := range call.in.get("AttributeDefinitions").items() {
		kinds[d.get("AttributeName").text()] = kind(d.get("AttributeType").text())
	}
	for _, u := range call.in.get("GlobalSecondaryIndexUpdates").items() {
		if g := u.get("Create"); g.there() {
			ix, err := newIndex(g, kinds, map[string]bool{})
			if err != nil {
				return nil, err
			}
			t.indexes = append(t.indexes, ix)
		}
		if name := u.get("Delete").get("IndexName").text(); name != "" {
			t.indexes = slices.DeleteFunc(t.indexes, func(ix index) bool { return ix.name == name })
		}
	}
	return c.described(t, "TableDescription"), nil
}

func (c *Cloud) deleteTable(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.anyTable(call.in)
	if err != nil {
		return nil, err
	}
	if t.protected {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	if t.stream != nil {
		c.disableStream(t)
	}
	c.setPITR(t, 0, time.Now())
	delete(c.tables, t.name)
	return c.described(t, "TableDescription"), nil
}

func (c *Cloud) describeTable(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.anyTable(call.in)
	if err != nil {
		return nil, err
	}
	return c.described(t, "Table"), nil
}

func (c *Cloud) listTables(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, 0, len(c.tables))
	for name := range c.tables {
		names = append(names, name)
	}
	slices.Sort(names)
	after := call.in.get("ExclusiveStartTableName").text()
	names = names[sort.Search(len(names), func(i int) bool { return names[i] > after }):]
	b := []byte(`{"TableNames":[`)
	more := len(names) > call.in.get("Limit").int(100)
	if more {
		names = names[:call.in.get("Limit").int(100)]
	}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
	}
	b = append(b, ']')
	if more {
		b = appendField(b, "LastEvaluatedTableName", names[len(names)-1])
	}
	return append(b, '}'), nil
}

// described is a table as DescribeTable shows it, under the given name.
func (c *Cloud) described(t *table, as string) []byte {
	status := "ACTIVE"
	switch {
	case c.tables[t.name] != t:
		if status = "DELETING"; as == "TableDescription" && t.created.Equal(time.Now()) {
			status = "CREATING"
		}
	case time.Now().Before(t.active):
		status = "CREATING"
	}
	b := append([]byte(`{"`), as...)
	b = append(b, `":{"TableName":`...)
	b = appendString(b, t.name)
	b = appendField(b, "TableArn", t.arn)
	b = appendField(b, "TableId", t.id)
	b = appendField(b, "TableStatus", status)
	b = append(b, `,"CreationDateTime":`...)
	b = appendTime(b, t.created)
	b = append(b, `,"AttributeDefinitions":[`...)
	kinds := map[string]kind{}
	for _, ix := range append([]index{{hash: t.hash, sort: t.sort}}, t.indexes...) {
		kinds[ix.hash.name] = ix.hash.kind
		if ix.sort.name != "" {
			kinds[ix.sort.name] = ix.sort.kind
		}
	}
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"AttributeName":`...)
		b = appendString(b, name)
		b = appendField(b, "AttributeType", string(kinds[name]))
		b = append(b, '}')
	}
	b = append(b, `],"KeySchema":`...)
	b = appendKeySchema(b, t.hash, t.sort)
	b = append(b, `,"ItemCount":`...)
	b = strconv.AppendInt(b, int64(t.count), 10)
	b = append(b, `,"TableSizeBytes":`...)
	b = strconv.AppendInt(b, int64(t.bytes), 10)
	b = append(b, `,"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"},"ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":0,"WriteCapacityUnits":0},"DeletionProtectionEnabled":`...)
	b = strconv.AppendBool(b, t.protected)
	for _, local := range []bool{false, true} {
		var parts []string
		for _, ix := range t.indexes {
			if ix.local == local {
				parts = append(parts, string(t.describeIndex(ix)))
			}
		}
		if len(parts) > 0 {
			word := map[bool]string{false: "Global", true: "Local"}[local]
			b = append(b, `,"`+word+`SecondaryIndexes":[`+strings.Join(parts, ",")+`]`...)
		}
	}
	if t.stream != nil {
		b = append(b, `,"StreamSpecification":{"StreamEnabled":true`...)
		b = appendField(b, "StreamViewType", t.stream.view)
		b = append(b, '}')
	}
	if t.latestStream != "" {
		b = appendField(b, "LatestStreamArn", t.latestStream)
		b = appendField(b, "LatestStreamLabel", t.latestLabel)
	}
	return append(b, "}}"...)
}

func (t *table) describeIndex(ix index) []byte {
	b := append([]byte(`{"IndexName":`), appendString(nil, ix.name)...)
	b = appendField(b, "IndexArn", t.arn+"/index/"+ix.name)
	if !ix.local {
		b = appendField(b, "IndexStatus", "ACTIVE")
	}
	b = append(b, `,"KeySchema":`...)
	b = appendKeySchema(b, ix.hash, ix.sort)
	b = append(b, `,"Projection":{"ProjectionType":`...)
	b = appendString(b, ix.projection)
	return append(b, "}}"...)
}

func appendKeySchema(b []byte, hash, sort keyAttr) []byte {
	b = append(b, `[{"AttributeName":`...)
	b = appendString(b, hash.name)
	b = append(b, `,"KeyType":"HASH"}`...)
	if sort.name != "" {
		b = append(b, `,{"AttributeName":`...)
		b = appendString(b, sort.name)
		b = append(b, `,"KeyType":"RANGE"}`...)
	}
	return append(b, ']')
}

// appendField appends a string member after others.
func appendField(b []byte, name, s string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendString(b, s)
}

// appendTime appends epoch seconds as AWS prints them, in Java's notation for
// doubles: 1.46480646E9.
func appendTime(b []byte, t time.Time) []byte {
	s := strconv.FormatFloat(float64(t.UnixMilli())/1000, 'E', -1, 64)
	digits, exp, _ := strings.Cut(s, "E")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	b = append(b, digits...)
	b = append(b, 'E')
	return append(b, strings.TrimLeft(exp, "+0")...)
}

func uuid(rng *rand.Rand) string {
	a, b := rng.Uint64(), rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(a>>32), uint16(a>>16), a&0xfff, b>>52, b&0xffffffffffff)
}
