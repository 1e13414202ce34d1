package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// digest stands for a key, or for an item in its canonical form. The zero digest stands for no
// item.
type digest [16]byte

func digestOf(text []byte) digest {
	sum := sha256.Sum256(text)
	return digest(sum[:16])
}

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// low are the bits that passes go by.
func (d digest) low() uint32 {
	return uint32(d[0]) | uint32(d[1])<<8 | uint32(d[2])<<16 | uint32(d[3])<<24
}

// attributes takes an item apart: canonical values by name.
func attributes(item []byte) (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if len(item) == 0 {
		return all, nil
	}
	err := json.Unmarshal(item, &all)
	return all, err
}

// differing are the names of the attributes in which two canonical items differ, sorted.
func differing(a, b []byte) []string {
	one, err1 := attributes(a)
	two, err2 := attributes(b)
	if err1 != nil || err2 != nil {
		return nil
	}
	var names []string
	for name, v := range one {
		if w, ok := two[name]; !ok || string(v) != string(w) {
			names = append(names, name)
		}
	}
	for name := range two {
		if _, ok := one[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
