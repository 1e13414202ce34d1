package advise

import (
	"slices"
	"strings"
	"testing"
)

func TestTheDefaultPricesAreWhole(t *testing.T) {
	p := DefaultPrices()
	if p.Date != "2026-09-29" || p.Region != "us-east-1" || p.Currency != "USD" || len(p.Borrowed()) != 0 {
		t.Errorf("%+v", p)
	}
	for _, x := range p.List {
		if x.Amount <= 0 || x.Unit == "" || x.Of != "us-east-1, 2026-09-29" {
			t.Errorf("%+v", x)
		}
	}
	// 1 vCPU and 2 GB, as its comment says.
	if got, want := p.of(workerHour), 0.04048+2*0.004445; got != want {
		t.Errorf("a worker costs %v an hour, want %v", got, want)
	}
}

func TestPricesAreRead(t *testing.T) {
	for name, text := range map[string]string{
		"YAML": "date: 2026-11-01\nregion: eu-west-1\nprices:\n  put_thousand: 0.0054\n",
		"JSON": `{"date": "2026-11-01", "region": "eu-west-1", "currency": "USD", "prices": {"put_thousand": 0.0054}}`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePrices([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if p.Date != "2026-11-01" || p.Region != "eu-west-1" || p.of(puts) != 0.0054 || p.of(fullGB) != DefaultPrices().of(fullGB) {
				t.Errorf("%+v", p)
			}
			if b := p.Borrowed(); len(b) != len(priceUnits)-1 || slices.Contains(b, puts) {
				t.Errorf("borrowed: %v", b)
			}
			for i, u := range priceUnits {
				if p.List[i].Name != u.name {
					t.Errorf("price %d is %s, want %s", i, p.List[i].Name, u.name)
				}
			}
			if got := p.Money(1234567.891); got != "$1,234,567.89" {
				t.Errorf("money: %s", got)
			}
		})
	}
}

func TestPricesInAnotherCurrencyAreRead(t *testing.T) {
	text := "date: 2026-11-01\nregion: eu-west-1\ncurrency: EUR\nprices:\n"
	for _, u := range priceUnits {
		text += "  " + u.name + ": 0.5\n"
	}
	p, err := ParsePrices([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if b := p.Borrowed(); len(b) > 0 {
		t.Errorf("borrowed: %v", b)
	}
	if got := p.Money(1234567.891); got != "1,234,567.89 EUR" {
		t.Errorf("money: %s", got)
	}
}

func TestBadPricesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", `date "": want one like 2026-09-29; no prices; no region`},
		{"no list", "hello", "cannot unmarshal"},
		{"a field that is not there", "date: 2026-11-01\nregion: x\nregoin: y\nprices: {put_thousand: 1}", "regoin"},
		{"a price without an amount, which would be for nothing", "date: 2026-11-01\nregion: x\nprices: {put_thousand: 1, full_export_gb: }", "full_export_gb has no amount"},
		{
			"another currency for some, whose sum would be of both", "date: 2026-11-01\nregion: x\ncurrency: EUR\nprices: {pitr_gb_month: 1, full_export_gb: 1, stream_read_million: 1, write_unit_million: 1, put_thousand: 1}",
			"the default prices are in USD and these in EUR, so all are to be given: there is no incremental_export_gb, worker_hour",
		},
		{"a second document, which would be passed over", "date: 2026-11-01\nregion: x\nprices: {put_thousand: 1}\n---\nprices: {full_export_gb: 1}", "a second document; want one"},
		{"all at once", "date: soon\nregion: x\nprices: {put_thousand: -1, get_thousand: 1, worker_hour: .nan}", `date "soon": want one like 2026-09-29; put_thousand is -1: want 0 or more; there is no price "get_thousand"; worker_hour is NaN: want 0 or more`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParsePrices([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v\nwant one line with %s", err, c.want)
			}
		})
	}
}

func TestMoney(t *testing.T) {
	p := DefaultPrices()
	for amount, want := range map[float64]string{0: "$0.00", 0.001: "<$0.01", 0.01: "$0.01", 999.999: "$1,000.00", 1234.5: "$1,234.50", 96.2: "$96.20"} {
		if got := p.Money(amount); got != want {
			t.Errorf("%v is %s, want %s", amount, got, want)
		}
	}
	if got := p.each(workerHour); got != "$0.04937/h" {
		t.Error(got)
	}
	if got := p.each(fullGB); got != "$0.10/GB" {
		t.Error(got)
	}
}
