package page

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dynamolake/internal/fleet"
)

// graph is how shards descend from one another: a column for each generation.
type graph struct {
	Nodes         []node
	Edges         []string // paths
	Width, Height int
	Hidden        int // shards that are not drawn
}

type node struct {
	X, Y, W, H   int
	Class        string
	Title        string
	Name, Detail string
	TextX        int
	NameY, LineY int
}

// Sizes in pixels, and how many shards are still a picture.
const (
	nodeWide, nodeHigh = 168, 40
	nodeApart, rowHigh = 46, 50
	margin             = 4
	mostNodes          = 200
)

// shardClass is a state as the style sheet knows it.
var shardClass = map[string]string{
	fleet.ShardReading: "reading", fleet.ShardFree: "free", fleet.ShardWaiting: "waiting",
	fleet.ShardEnded: "ended", fleet.ShardHalted: "halted",
}

// lineage lays shards out. A shard stands one column right of its youngest parent, and near
// it. Of many, those are drawn that matter most: halted, not read, far behind; then the youngest.
func lineage(shards []fleet.Shard) graph {
	shown := slices.Clone(shards)
	slices.SortStableFunc(shown, func(a, b fleet.Shard) int {
		return cmp.Or(cmp.Compare(weight(a), weight(b)), cmp.Compare(b.Lag, a.Lag), cmp.Compare(b.ID, a.ID))
	})
	g := graph{Hidden: max(0, len(shown)-mostNodes)}
	shown = shown[:len(shown)-g.Hidden]
	slices.SortFunc(shown, func(a, b fleet.Shard) int { return cmp.Compare(a.ID, b.ID) })

	byID := map[string]fleet.Shard{}
	for _, s := range shown {
		byID[s.ID] = s
	}
	columns := map[string]int{}
	var columnOf func(id string, depth int) int
	columnOf = func(id string, depth int) int {
		c, known := columns[id]
		if known || depth > len(shown) { // a ring of parents would be a fault of the table
			return c
		}
		for _, p := range byID[id].Parents {
			if _, there := byID[p]; there {
				c = max(c, columnOf(p, depth+1)+1)
			}
		}
		columns[id] = c
		return c
	}
	var layers [][]fleet.Shard
	for _, s := range shown {
		c := columnOf(s.ID, 0)
		for len(layers) <= c {
			layers = append(layers, nil)
		}
		layers[c] = append(layers[c], s)
	}

	row := map[string]int{}
	place := map[string]node{}
	for c, layer := range layers {
		near := func(s fleet.Shard) int { // where its parents are; those without go last
			at := len(shown)
			for _, p := range s.Parents {
				if r, ok := row[p]; ok {
					at = min(at, r)
				}
			}
			return at
		}
		slices.SortStableFunc(layer, func(a, b fleet.Shard) int { return cmp.Or(cmp.Compare(near(a), near(b)), cmp.Compare(a.ID, b.ID)) })
		next := 0
		for _, s := range layer {
			r := next
			if at := near(s); c > 0 && at < len(shown) {
				r = max(next, at)
			}
			row[s.ID], next = r, r+1
			n := nodeOf(s, margin+c*(nodeWide+nodeApart), margin+r*rowHigh)
			place[s.ID] = n
			g.Nodes = append(g.Nodes, n)
			g.Width, g.Height = max(g.Width, n.X+n.W+margin), max(g.Height, n.Y+n.H+margin)
		}
	}
	for _, s := range shown {
		to := place[s.ID]
		for _, p := range s.Parents {
			if from, ok := place[p]; ok {
				x1, y1, x2, y2 := from.X+from.W, from.Y+from.H/2, to.X, to.Y+to.H/2
				mid := (x1 + x2) / 2
				g.Edges = append(g.Edges, fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, mid, y1, mid, y2, x2, y2))
			}
		}
	}
	return g
}

// weight orders shards by what somebody should look at first.
func weight(s fleet.Shard) int {
	return slices.Index([]string{fleet.ShardHalted, fleet.ShardFree, fleet.ShardReading, fleet.ShardWaiting, fleet.ShardEnded}, s.State)
}

func nodeOf(s fleet.Shard, x, y int) node {
	n := node{
		X: x, Y: y, W: nodeWide, H: nodeHigh, TextX: x + 8, NameY: y + 16, LineY: y + 32,
		Class: shardClass[s.State], Name: short(s.ID), Detail: s.State,
	}
	switch s.State {
	case fleet.ShardReading, fleet.ShardFree:
		n.Detail = s.State + ", lag " + span(s.Lag)
	case fleet.ShardWaiting:
		n.Detail = "waits"
	case fleet.ShardHalted:
		n.Detail = "halted at a gap"
	}
	n.Title = s.ID + ": " + s.State
	if s.Owner != "" {
		n.Title += ", of " + s.Owner
	}
	n.Title += ", at " + s.Checkpoint
	return n
}

// short is a shard's birth, which its id tells, and the end of its id; an id of another form is
// its end.
func short(id string) string {
	parts := strings.Split(id, "-")
	tail := parts[len(parts)-1]
	tail = tail[max(0, len(tail)-6):]
	if len(parts) == 3 {
		if ms, err := strconv.ParseInt(parts[1], 10, 64); err == nil {
			return time.UnixMilli(ms).UTC().Format("01-02 15:04") + " " + tail
		}
	}
	return tail
}
