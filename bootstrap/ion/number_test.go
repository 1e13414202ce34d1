package ion

import (
	"strings"
	"testing"

	"dynamolake/transform"
)

func TestNumbersComeOutAsDynamoDBWritesThem(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for ion, want := range map[string]string{
		"0":                     "0",
		"-0":                    "0",
		"-0.0":                  "0",
		"0d100":                 "0",
		"103.":                  "103",
		"6d2":                   "600",
		"2d3":                   "2000",
		"1.50":                  "1.5",
		"-1.50d1":               "-15",
		"12.5d-1":               "1.25",
		"1d-1":                  "0.1",
		"1_000.5":               "1000.5",
		"0x1F":                  "31",
		"-0b101":                "-5",
		nines:                   nines,
		"-" + nines + ".":       "-" + nines,
		nines + "d87":           nines + strings.Repeat("0", 87),
		nines[:1] + "." + nines: "9." + nines,
		"0." + nines:            "0." + nines,
		"1.5d-130":              "0." + strings.Repeat("0", 129) + "15",
		"1d-130":                "0." + strings.Repeat("0", 129) + "1",
		"9.9d125":               "99" + strings.Repeat("0", 124),
		"9223372036854775808":   "9223372036854775808",
		"1d140":                 "1" + strings.Repeat("0", 140),
		"1d141":                 "1E141",
		"-1.5d-200":             "-15E-201",
		"1d2147483647":          "1E2147483647",
		"1e0":                   "1",
		"-1.5e2":                "-150",
		"2.5e-3":                "0.0025",
		"0.1e0":                 "0.1",
		"123456789e0":           "123456789",
		"1e300":                 "1E300",
		"-0e0":                  "0",
	} {
		t.Run(ion, func(t *testing.T) {
			got, err := readAll(t, "{Item:{a:"+ion+",s:$dynamodb_NS::["+ion+"]}}")
			if err != nil {
				t.Fatal(err)
			}
			if image := `{"Item":{"a":{"N":"` + want + `"},"s":{"NS":["` + want + `"]}}}` + "\n"; got != image {
				t.Errorf("%s want %s", got, want)
			}
			// The project's own canonical form leaves it as it is.
			image := `{"a":{"N":"` + want + `"}}`
			if c, err := transform.Canonical([]byte(image)); err == nil && string(c) != image {
				t.Errorf("canonical is %s", c)
			}
		})
	}
}
