package transform

import "unicode/utf8"

// unescape writes the text that a checked JSON string stands for into the arena.
// It never gets longer. A lone surrogate, which no UTF-8 can hold, becomes its
// three-byte form, so that different keys stay different.
func (s *scanner) unescape(raw []byte) []byte {
	out := s.page.room(len(raw))
	from := len(out)
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		c := raw[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(raw[i : i+4])
			i += 4
			if r>>10 == 0xD800>>10 && i+6 <= len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
				if low, _ := hex4(raw[i+2 : i+6]); low>>10 == 0xDC00>>10 {
					r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
					i += 6
				}
			}
			if r>>11 == 0xD800>>11 {
				out = append(out, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0xBF, 0x80|byte(r)&0xBF)
			} else {
				out = utf8.AppendRune(out, r)
			}
			continue
		}
		out = append(out, c)
	}
	s.page.arena = out
	return out[from:len(out):len(out)]
}
