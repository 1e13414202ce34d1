package advise

import (
	"bytes"
	_ "embed" // the default prices
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Price is what one unit of something costs.
type Price struct {
	Name   string  `json:"name"` // as in a price file
	Amount float64 `json:"amount"`
	Unit   string  `json:"unit"`
	Of     string  `json:"of"` // region and date of the list that it is from
}

// Prices are a dated list.
type Prices struct {
	Date     string  `json:"date"` // of the list, or of its part that was given
	Region   string  `json:"region"`
	Currency string  `json:"currency"`
	List     []Price `json:"list"` // all of them, in order
}

// Names of the prices.
const (
	pitrMonth   = "pitr_gb_month"
	fullGB      = "full_export_gb"
	changedGB   = "incremental_export_gb"
	streamReads = "stream_read_million"
	writeUnits  = "write_unit_million"
	puts        = "put_thousand"
	workerHour  = "worker_hour"
)

// per is the unit in a formula.
var priceUnits = []struct{ name, per, unit string }{
	{pitrMonth, "/GB", "GB-month of point-in-time recovery"},
	{fullGB, "/GB", "GB of a full export"},
	{changedGB, "/GB", "GB of changes in an incremental export, 10 MB at least"},
	{streamReads, "/M", "million GetRecords calls"},
	{writeUnits, "/M", "million write request units"},
	{puts, "/1000", "thousand PUT requests"},
	{workerHour, "/h", "hour of one worker"},
}

//go:embed prices.yaml
var defaultPrices []byte

// DefaultPrices are those that the program brings along.
func DefaultPrices() Prices {
	p, err := parsePrices(defaultPrices)
	if err != nil || len(p.List) != len(priceUnits) {
		panic(fmt.Sprint("the default prices: ", err))
	}
	return p
}

// ParsePrices reads a list in YAML or JSON. What it leaves out is taken from the
// default prices, which are of one currency: a list in another must be whole. All that is
// wrong with it is reported.
func ParsePrices(text []byte) (Prices, error) {
	p, err := parsePrices(text)
	if err != nil {
		return Prices{}, err
	}
	defaults := DefaultPrices()
	var missing []string
	for i, d := range defaults.List {
		if !slices.ContainsFunc(p.List, func(have Price) bool { return have.Name == d.Name }) {
			p.List = slices.Insert(p.List, i, d)
			missing = append(missing, d.Name)
		}
	}
	if len(missing) > 0 && p.Currency != defaults.Currency {
		return Prices{}, fmt.Errorf("the default prices are in %s and these in %s, so all are to be given: there is no %s", defaults.Currency, p.Currency, strings.Join(missing, ", "))
	}
	return p, nil
}

func parsePrices(text []byte) (Prices, error) {
	var file struct {
		Date     string              `yaml:"date"`
		Region   string              `yaml:"region"`
		Currency string              `yaml:"currency"`
		Prices   map[string]*float64 `yaml:"prices"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return Prices{}, errors.New(strings.Join(strings.Fields(err.Error()), " "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Prices{}, errors.New("there is a second document; want one")
	}
	p := Prices{Date: file.Date, Region: file.Region, Currency: file.Currency}
	if p.Currency == "" {
		p.Currency = "USD"
	}
	var problems []string
	if _, err := time.Parse(time.DateOnly, p.Date); err != nil {
		problems = append(problems, fmt.Sprintf("date %q: want one like 2026-09-29", p.Date))
	}
	if p.Region == "" {
		problems = append(problems, "no region")
	}
	if len(file.Prices) == 0 {
		problems = append(problems, "no prices")
	}
	for _, u := range priceUnits {
		amount, given := file.Prices[u.name]
		delete(file.Prices, u.name)
		if !given {
			continue
		}
		switch {
		case amount == nil:
			problems = append(problems, u.name+" has no amount: want 0 or more, or leave it out")
			continue
		case !(*amount >= 0 && *amount < 1e6): // NaN is neither
			problems = append(problems, fmt.Sprintf("%s is %v: want 0 or more", u.name, *amount))
		}
		p.List = append(p.List, Price{u.name, *amount, u.unit, p.Region + ", " + p.Date})
	}
	for name := range file.Prices {
		problems = append(problems, fmt.Sprintf("there is no price %q", name))
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return Prices{}, errors.New(strings.Join(problems, "; "))
	}
	return p, nil
}

// of is what one unit costs.
func (p Prices) of(name string) float64 {
	for _, have := range p.List {
		if have.Name == name {
			return have.Amount
		}
	}
	panic("there is no price " + name)
}

// Borrowed are the prices that are of another list than the one given.
func (p Prices) Borrowed() (names []string) {
	for _, have := range p.List {
		if have.Of != p.Region+", "+p.Date {
			names = append(names, have.Name)
		}
	}
	return names
}

// Money writes an amount in the list's currency.
func (p Prices) Money(amount float64) string {
	if amount > 0 && amount < 0.005 {
		return "<" + p.Money(0.01)
	}
	text := strconv.FormatFloat(amount, 'f', 2, 64)
	for i := strings.IndexByte(text, '.') - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return p.currency(text)
}

// each writes a price as it stands in the list, with its unit.
func (p Prices) each(name string) string {
	text := strconv.FormatFloat(p.of(name), 'f', -1, 64)
	if whole, cents, _ := strings.Cut(text, "."); len(cents) < 2 {
		text = whole + "." + (cents + "00")[:2]
	}
	per := ""
	for _, u := range priceUnits {
		if u.name == name {
			per = u.per
		}
	}
	return p.currency(text) + per
}

func (p Prices) currency(text string) string {
	if p.Currency == "USD" {
		return "$" + text
	}
	return text + " " + p.Currency
}
