package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"dynamolake/transform"
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

// keyText is the canonical form of a key, from its columns, or from the canonical item where
// a column cannot hold it.
func keyText(keys transform.KeySchema, hash, rng transform.KeyValue, item func() ([]byte, error)) ([]byte, error) {
	if hash.Exact && (rng.Exact || !keys.HasRange()) {
		return transform.RebuildItem(keys, hash, rng, nil)
	}
	text, err := item()
	if err != nil {
		return nil, err
	}
	return keyOfItem(keys, text)
}

// keyOfItem cuts the key out of a canonical item.
func keyOfItem(keys transform.KeySchema, item []byte) ([]byte, error) {
	all, err := attributes(item)
	if err != nil {
		return nil, err
	}
	key := map[string]json.RawMessage{}
	for _, a := range []transform.KeyAttr{keys.Hash, keys.Range} {
		if a.Name == "" {
			continue
		}
		v, ok := all[a.Name]
		if !ok {
			return nil, errors.New("an item without its key")
		}
		key[a.Name] = v
	}
	text, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	return transform.Canonical(text)
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
