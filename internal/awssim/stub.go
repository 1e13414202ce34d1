package awssim

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

type exprCache struct{}
type sequence struct{}
type table struct{}
type stream struct{}
type bucket struct{}
type transaction struct{}

func newSequence(*rand.Rand) sequence                         { return sequence{} }
func mix(a, b uint64) uint64                                  { return a ^ b }
func fail(status int, code, format string, args ...any) error { return errors.New(code) }
func failure(*Call, error) reply                              { return reply{status: 500} }
func (f Fault) err(string) error                              { return errors.New(f.Code) }
func (c *Call) routeS3(*http.Request)                         {}
func iteratorTarget(string) (string, string)                  { return "", "" }
func tableOfARN(string) string                                { return "" }
func tableName(s string) string                               { return s }
func joinUnique([]string) string                              { return "" }
func (c *Cloud) checkRegion(*Call) error                      { return nil }
func (c *Cloud) applyJSON(*Call) ([]byte, error)              { return nil, errors.New("todo") }
func (c *Cloud) applySTS(*Call) reply                         { return reply{} }
func (c *Cloud) applyS3(*Call) reply                          { return reply{} }

// Roll closes an open shard and opens one child for its hash range.
func (c *Cloud) Roll(table, shard string) error { return nil }

// RollAll rolls every open shard of the table's stream.
func (c *Cloud) RollAll(table string) error { return nil }

// Split closes an open shard and opens two children, each for half of its hash range.
func (c *Cloud) Split(table, shard string) error            { return nil }
func (c *Cloud) Shards(table string) []ShardInfo            { return nil }
func (c *Cloud) TrimBefore(table string, t time.Time) error { return nil }

// ExpireTTL deletes what is past its TTL, as the service does; it returns how many items went.
func (c *Cloud) ExpireTTL(table string) int                       { return 0 }
func (c *Cloud) HideShardOnce(table, shard string, listings int)  {}
func (c *Cloud) ShowOpenParent(table, shard string, listings int) {}
func (c *Cloud) Journal(table string) []Record                    { return nil }

// Items returns the items by canonical key JSON.
func (c *Cloud) Items(table string) map[string]string { return nil }
