package attribute

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/transform"
)

func TestThereAndBackAgain(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"a":{"S":""},"b":{"S":"x\"y\u2028"},"c":{"N":"12345678901234567890123456789012345678"},"d":{"N":"-1.5e-7"}}`,
		`{"a":{"B":""},"b":{"B":"AAEC"},"c":{"BS":["","AQ=="]},"d":{"SS":["a","b"]},"e":{"NS":["1","2"]}}`,
		`{"a":{"BOOL":false},"b":{"NULL":true},"c":{"L":[]},"d":{"M":{}},"e":{"L":[{"M":{"x":{"L":[{"BOOL":true}]}}},{"B":""}]}}`,
	} {
		item, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		back, err := JSON(item)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want, err := transform.Canonical([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := transform.Canonical(back); err != nil || string(got) != string(want) {
			t.Errorf("%s: became %s, error %v", text, got, err)
		}
	}
}

func TestWhatIsNoItemIsRefused(t *testing.T) {
	for _, text := range []string{``, `null`, `[]`, `{"a":1}`, `{"a":{}}`, `{"a":{"S":1}}`, `{"a":{"N":"x"}}`, `{"a":{"S":"x","N":"1"}}`, `{"a":{"X":"x"}}`, `{"a":{"B":"%"}}`, `{"a":{"S":"x"},"a":{"S":"y"}}`} {
		if item, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: taken as %v", text, item)
		}
	}
	for _, v := range []types.AttributeValue{nil, &types.UnknownUnionMember{Tag: "Z"}, &types.AttributeValueMemberL{Value: []types.AttributeValue{nil}}, &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": nil}}} {
		if text, err := JSON(map[string]types.AttributeValue{"a": v}); err == nil || !strings.Contains(err.Error(), "is unknown") {
			t.Errorf("%v became %s, error %v", v, text, err)
		}
	}
}
