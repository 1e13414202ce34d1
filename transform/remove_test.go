package transform_test

import (
	"fmt"
	"testing"

	"dynamolake/transform"
)

// TestRemovedIsWhatTheStreamSays compares the change that an item leaves with, made of a MODIFY, with
// the REMOVE of the same key.
func TestRemovedIsWhatTheStreamSays(t *testing.T) {
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "p", Type: 'N'}, Range: transform.KeyAttr{Name: "s", Type: 'S'}}
	for _, key := range []string{
		`{"p":{"N":"1"},"s":{"S":"a"}}`,
		`{"p":{"N":"1E2"},"s":{"S":"a"}}`,
		`{"p":{"N":"1"},"s":{"S":"\ud800"}}`,
		`{"s":{"S":"\ud800"},"p":{"N":"1.0"}}`,
		`{ "s" : {"S":"x"} , "\u0070" : {"N":"1.0"} }`,
	} {
		record := func(op, image string) string {
			return fmt.Sprintf(`{"eventName":"%s","dynamodb":{"Keys":%s,"OldImage":{"p":{"N":"7"}},%s"SequenceNumber":"12"}}`, op, key, image)
		}
		body := fmt.Sprintf(`{"Records":[%s,%s]}`, record("MODIFY", `"NewImage":`+key[:len(key)-1]+`,"x":{"S":"y"}},`), record("REMOVE", ""))
		var page transform.Page
		if err := transform.NewDecoder(keys).Decode([]byte(body), &page); err != nil || len(page.Changes) != 2 {
			t.Fatalf("%s: %v, rejects %v", key, err, page.Rejects)
		}
		made, said := keys.Removed(&page.Changes[0]), &page.Changes[1]
		got, want := string(made.AppendRest(nil)), string(said.AppendRest(nil))
		if got != want || made.HasRest() != said.HasRest() || made.Op != said.Op || made.New != nil || string(made.Old) != string(said.Old) {
			t.Errorf("%s leaves %+v with rest %s, the stream says %+v with %s", key, made, got, said, want)
		}
		if again := keys.Removed(said); string(again.AppendRest(nil)) != want {
			t.Errorf("%s removed twice leaves %s, want %s", key, again.AppendRest(nil), want)
		}
	}
}
