package advise

// Pattern is a way of moving a table into the lake.
type Pattern string

// The three patterns, in the order in which they are shown.
const (
	Full        Pattern = "full"
	Incremental Pattern = "incremental"
	Stream      Pattern = "stream"
)

// Patterns returns all of them, in order.
func Patterns() []Pattern { return []Pattern{Full, Incremental, Stream} }

// Title is what the pattern is called in text.
func (p Pattern) Title() string { return string(p) + " export" }

// Dimension is something that a pattern is better or worse in.
type Dimension string

// The five dimensions, in the order in which they are shown and asked for.
const (
	Freshness   Dimension = "freshness"
	Engineering Dimension = "engineering"
	Spending    Dimension = "cost"
	Volume      Dimension = "volume"
	Downstream  Dimension = "downstream"
)

// Dimensions returns all of them, in order.
func Dimensions() []Dimension {
	return []Dimension{Freshness, Engineering, Spending, Volume, Downstream}
}

// Question is how a person is asked for the importance of a dimension.
func (d Dimension) Question() string {
	switch d {
	case Freshness:
		return "Freshness: how much does it matter that a change is in the lake soon?"
	case Engineering:
		return "Engineering: how much does it matter to have little to build, run and watch?"
	case Spending:
		return "Cost: how much does the monthly bill matter?"
	case Volume:
		return "Volume and growth: how much does it matter that a large or growing table stays easy?"
	}
	return "Downstream: how much does it matter what readers get, each change rather than a state?"
}
