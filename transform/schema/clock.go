package schema

// The first and the last microsecond that a timestamp holds: year 1 to 9999.
const (
	firstMicro = -62_135_596_800_000_000
	lastMicro  = 253_402_300_799_999_999
	dayMicros  = 86_400_000_000
)

// scaleOf is how many digits behind the point a number of the form may have and
// still be whole microseconds.
func scaleOf(f Form) int {
	switch f {
	case Seconds:
		return 6
	case Millis:
		return 3
	}
	return 0
}

// epoch reads a number since 1970 as microseconds.
func epoch(text []byte, form Form) (micros int64, m Misfit) {
	// 18 digits hold the years 1 to 9999 and more, and fit 64 bits.
	low, _, m := decimal(text, 18, scaleOf(form))
	if m == Fits && (low < firstMicro || low > lastMicro) {
		m = TooLarge
	}
	return low, m
}

// date reads a day, as days since 1970.
func date(text []byte, form Form) (days int64, m Misfit) {
	if form == ISO {
		days, ok := isoDate(text)
		if !ok {
			return 0, Spelling
		}
		return days, Fits
	}
	micros, m := epoch(text, form)
	if m == Fits && micros%dayMicros != 0 {
		m = TooLarge
	}
	return micros / dayMicros, m
}

// isoTime reads 2026-11-23T10:00:00Z, with digits behind a point before the Z
// unless digits is 0.
func isoTime(text []byte, digits int) (micros int64, ok bool) {
	want := len("2026-11-23T10:00:00Z")
	if digits > 0 {
		want += 1 + digits
	}
	if len(text) != want || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[want-1] != 'Z' {
		return 0, false
	}
	days, ok := isoDate(text[:10])
	if !ok {
		return 0, false
	}
	hour, minute, second := pair(text[11:]), pair(text[14:]), pair(text[17:])
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	fraction := int64(0)
	if digits > 0 {
		if text[19] != '.' {
			return 0, false
		}
		for _, c := range text[20 : 20+digits] {
			if c -= '0'; c > 9 {
				return 0, false
			}
			fraction = fraction*10 + int64(c)
		}
		fraction *= int64(powers[6-digits])
	}
	return days*dayMicros + ((int64(hour)*60+int64(minute))*60+int64(second))*1_000_000 + fraction, true
}

// isoDate reads 2026-11-23 as days since 1970.
func isoDate(text []byte) (days int64, ok bool) {
	if len(text) != len("2026-11-23") || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	century, year := pair(text), pair(text[2:])
	month, day := pair(text[5:]), pair(text[8:])
	if century > 99 || year > 99 || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	y := int64(century)*100 + int64(year)
	if y < 1 || day > daysIn(y, month) {
		return 0, false
	}
	// Days of the civil calendar, counted from March so that February ends a year.
	m := int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	era, yoe := y/400, y%400
	doy := (153*(m-3)+2)/5 + int64(day) - 1
	return era*146_097 + yoe*365 + yoe/4 - yoe/100 + doy - 719_468, true
}

func daysIn(year int64, month uint) uint {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// pair reads two digits; what is none gives more than 99.
func pair(text []byte) uint {
	a, b := uint(text[0]-'0'), uint(text[1]-'0')
	if a > 9 || b > 9 {
		return 1000
	}
	return a*10 + b
}
