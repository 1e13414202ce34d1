package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"dynamolake/internal/advise"
)

// printAdvice writes the advice for people: facts, matrix, findings, costs, and last what
// to do.
func printAdvice(out io.Writer, a advise.Advice, explain bool) error {
	p := advicePrinter{tabwriter.NewWriter(out, 0, 4, 2, ' ', 0), a}
	p.facts()
	p.matrix()
	if explain {
		p.reasons()
	}
	p.findings()
	p.costs()
	p.prices()
	p.steps()
	return p.w.Flush()
}

type advicePrinter struct {
	w *tabwriter.Writer
	advise.Advice
}

// row writes the cells of a line, with something in each: an empty one would end
// its column.
func (p advicePrinter) row(cells ...string) {
	for i := range cells {
		cells[i] = cmp.Or(cells[i], "-")
	}
	fmt.Fprintln(p.w, strings.Join(cells, "\t"))
}

// part begins a table with columns of its own.
func (p advicePrinter) part(header ...string) {
	p.w.Flush()
	fmt.Fprintln(p.w)
	p.row(header...)
}

func (p advicePrinter) facts() {
	f := p.Facts
	p.row("FACT", "VALUE", "FROM")
	p.row("table", cmp.Or(f.Table, "none"), f.Region)
	fact(p, "items", f.Items, func(n int64) string { return grouped(strconv.FormatInt(n, 10)) })
	fact(p, "size", f.Bytes, decimalSize)
	fact(p, "average item", f.ItemAvg, func(n float64) string { return decimalSize(int64(n)) })
	fact(p, "write units a second", f.Units, decimal)
	fact(p, "writes a second", f.Writes, decimal)
	fact(p, "open shards", f.Shards, func(n int) string { return grouped(strconv.Itoa(n)) })
	fact(p, "stream", f.View, func(v string) string { return v })
	fact(p, "point-in-time recovery", f.PITR, func(on bool) string { return map[bool]string{true: "on", false: "off"}[on] })
	fact(p, "billing mode", f.Billing, func(v string) string { return v })
	for _, line := range f.Missed {
		p.w.Flush()
		fmt.Fprintln(p.w, "!", line)
	}
}

func fact[T any](p advicePrinter, name string, f advise.Fact[T], format func(T) string) {
	value := "unknown"
	if f.OK() {
		value = format(*f.Value)
	}
	p.row(name, value, f.From)
}

func (p advicePrinter) matrix() {
	header := []string{"DIMENSION", "IMPORTANCE"}
	for _, pattern := range advise.Patterns() {
		header = append(header, strings.ToUpper(pattern.Title()))
	}
	p.part(header...)
	for _, r := range p.Matrix.Rows {
		cells := []string{string(r.Dimension), strconv.Itoa(r.Importance)}
		for _, c := range r.Cells {
			cells = append(cells, fmt.Sprintf("%d x %d = %d", c.Score, r.Importance, c.Weighted))
		}
		p.row(cells...)
	}
	points, ranks := []string{"points", fmt.Sprintf("of %d", p.Matrix.Most)}, []string{"rank", ""}
	for _, t := range p.Matrix.Totals {
		points = append(points, strconv.Itoa(t.Points))
		rank := strconv.Itoa(t.Rank)
		for _, other := range p.Matrix.Totals {
			if other.Pattern != t.Pattern && other.Rank == t.Rank {
				rank = strconv.Itoa(t.Rank) + ", a tie"
			}
		}
		if p.RuledOut(t.Pattern) {
			rank += ", RULED OUT"
		}
		ranks = append(ranks, rank)
	}
	p.row(points...)
	p.row(ranks...)
}

func (p advicePrinter) reasons() {
	p.part("DIMENSION", "PATTERN", "SCORE", "WHY")
	for _, r := range p.Matrix.Rows {
		for _, c := range r.Cells {
			p.row(string(r.Dimension), string(c.Pattern), strconv.Itoa(c.Score), c.Why)
		}
	}
}

func (p advicePrinter) findings() {
	if len(p.Findings) == 0 {
		return
	}
	p.part("FINDING", "PATTERN", "WHAT")
	for _, f := range p.Findings {
		kind := "note"
		if f.RulesOut {
			kind = "RULED OUT"
		}
		what := f.What
		if f.Fix != "" {
			what += "; " + f.Fix
		}
		p.row(kind, cmp.Or(string(f.Pattern), "all"), what)
	}
}

func (p advicePrinter) costs() {
	p.part("COST", "ITEM", "A MONTH", "FROM")
	for _, c := range p.Costs {
		for _, l := range c.Lines {
			p.row(string(c.Pattern), l.What, p.amount(l), l.Formula)
		}
		total, note := p.Prices.Money(c.Monthly), "sum"
		switch {
		case c.None:
			total = "unknown"
		case !c.Whole:
			total, note = "at least "+total, "sum of what is known"
		}
		p.row(string(c.Pattern), "TOTAL", total, note)
		for _, l := range c.Once {
			p.row(string(c.Pattern), l.What, p.amount(l)+" once", l.Formula)
		}
	}
	p.w.Flush()
	fmt.Fprintf(p.w, "A month is 30 days, a GB 10^9 bytes. Not counted: %s.\n", p.NotCounted)
}

func (p advicePrinter) amount(l advise.Line) string {
	if l.Amount == nil {
		return "unknown"
	}
	return p.Prices.Money(*l.Amount)
}

func (p advicePrinter) prices() {
	p.part("PRICE", p.Prices.Currency, "UNIT", "OF")
	for _, x := range p.Prices.List {
		p.row(x.Name, strconv.FormatFloat(x.Amount, 'f', -1, 64), x.Unit, x.Of)
	}
	p.w.Flush()
	fmt.Fprintf(p.w, "Prices are of %s, %s, and were not asked for today: check them before you count on a sum, and give your own with --prices.\n", p.Prices.Region, p.Prices.Date)
	if names := p.Prices.Borrowed(); len(names) > 0 {
		fmt.Fprintf(p.w, "Not in your prices, and taken from the default ones: %s.\n", strings.Join(names, ", "))
	}
}

func (p advicePrinter) steps() {
	p.w.Flush()
	fmt.Fprintf(p.w, "\nRECOMMENDED  %s.\n", p.Why)
	pattern := advise.Pattern("")
	for _, s := range p.Steps {
		if s.Pattern != pattern {
			pattern = s.Pattern
			fmt.Fprintf(p.w, "\nTo start a %s:\n", pattern.Title())
		}
		fmt.Fprintf(p.w, "  # %s\n  %s\n", s.Why, s.Command)
	}
}

// grouped puts commas between thousands.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// decimal writes a rate with two decimals at the most, and more when it is small.
func decimal(x float64) string {
	if x != 0 && x < 1 {
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x, 'f', 2, 64), "0"), ".")
}

// decimalSize writes bytes as AWS counts them for the bill.
func decimalSize(n int64) string {
	for _, u := range []struct {
		name  string
		bytes float64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}} {
		if float64(n) >= u.bytes {
			return decimal(float64(n)/u.bytes) + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}
