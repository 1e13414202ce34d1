package page

import (
	"fmt"
	"strings"
	"time"
)

// high is the height of a curve. It is stretched as wide is.
const high = 100

// curve is a value over the last day.
type curve struct {
	Line string // a path, in pieces where points are missing
	Mark float64
	Top  float64 // seconds at the upper edge
	Last float64
}

// spark lays out values in seconds over the time from now back to since, from 0 to top. Where
// points are more than three minutes apart nothing is known, and nothing is drawn.
func spark(points []Point, value func(Point) float64, since, now time.Time, top, mark float64) curve {
	length := max(now.Sub(since), time.Minute)
	c := curve{Top: top, Mark: -1}
	y := func(v float64) float64 { return high - min(max(v/top, 0), 1)*high }
	if mark >= 0 && mark <= top {
		c.Mark = y(mark)
	}
	var b strings.Builder
	var before time.Time
	for _, p := range points {
		pen := "L"
		if before.IsZero() || p.At.Sub(before) > 3*historyEvery {
			pen = "M"
		}
		v := value(p)
		fmt.Fprintf(&b, "%s%.1f %.1f", pen, float64(p.At.Sub(since))/float64(length)*wide, y(v))
		before, c.Last = p.At, v
	}
	c.Line = b.String()
	return c
}

// most is the greatest value, at least a minute, so that a quiet fleet is a quiet line.
func most(points []Point, value func(Point) float64) float64 {
	top := 60.0
	for _, p := range points {
		top = max(top, value(p))
	}
	return top
}
