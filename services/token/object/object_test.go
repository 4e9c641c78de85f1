package object

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestParse(t *testing.T) {
	nested := func(depth int) string {
		return strings.Repeat(`{"a":`, depth-1) + `{}` + strings.Repeat(`}`, depth-1)
	}
	for _, test := range []struct {
		name, text string
		want       error
	}{
		{"an empty object", `{}`, nil},
		{"white space around it", " {\"a\": 1}\r\n", nil},
		{"nesting at the limit", nested(contract.MaxJSONDepth), nil},
		{"nesting over the limit", nested(contract.MaxJSONDepth + 1), ErrDepth},
		{"lists over the limit", `{"a":` + strings.Repeat("[", contract.MaxJSONDepth) + strings.Repeat("]", contract.MaxJSONDepth) + `}`, ErrDepth},
		{"the same name in two objects", `{"a":{"a":1},"b":{"a":1}}`, nil},
		{"names that differ by case", `{"a":1,"A":2}`, nil},
		{"a name twice", `{"a":1,"a":1}`, ErrDuplicate},
		{"a name twice by an escape", `{"a":1,"\u0061":2}`, ErrDuplicate},
		{"a name twice deep inside", `{"a":[{"b":1,"c":{},"b":2}]}`, ErrDuplicate},
		{"a number that no float holds", `{"a":1e999}`, ErrSyntax},
		{"nothing", ``, ErrSyntax},
		{"null", `null`, ErrSyntax},
		{"a list", `[]`, ErrSyntax},
		{"a text", `"a"`, ErrSyntax},
		{"two objects", `{}{}`, ErrSyntax},
		{"a trailing comma", `{"a":1,}`, ErrSyntax},
		{"an open object", `{"a":1`, ErrSyntax},
		{"bytes that aren't UTF-8", "{\"a\":\"\xff\"}", ErrSyntax},
		{"a raw line break in a text", "{\"a\":\"\n\"}", ErrSyntax},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, got := Parse([]byte(test.text)); !errors.Is(got, test.want) {
				t.Errorf("Parse(%.60q) = %v, want %v", test.text, got, test.want)
			}
		})
	}
}

func TestObject_Read(t *testing.T) {
	for _, test := range []struct {
		name, text, fault string
		into, want        any
	}{
		{"a text", `{"a":"x"}`, "", new(string), "x"},
		{"an absent member leaves what was there", `{"A":"x"}`, "", new(string), ""},
		{"null is no text", `{"a":null}`, "a must be text", new(string), ""},
		{"a number is no text", `{"a":1}`, "a must be text", new(string), ""},
		{"a whole number", `{"a":-7}`, "", new(int64), int64(-7)},
		{"a fraction is no whole number", `{"a":1.5}`, "a must be a whole number", new(int64), int64(0)},
		{"a text is no whole number", `{"a":"1"}`, "a must be a whole number", new(int64), int64(0)},
		{"a number over 64 bits", `{"a":9223372036854775808}`, "a must be a whole number", new(int64), int64(0)},
		{"a list", `{"a":["x","y"]}`, "", new([]string), []string{"x", "y"}},
		{"an empty list", `{"a":[]}`, "", new([]string), []string(nil)},
		{"null in a list", `{"a":[null]}`, "a must be a list of texts", new([]string), []string(nil)},
		{"a text is no list", `{"a":"x"}`, "a must be a list of texts", new([]string), []string(nil)},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, err := Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			fault := ""
			if err := o.Read("a", test.into); err != nil {
				fault = err.Error()
			}
			got := reflect.ValueOf(test.into).Elem().Interface()
			if fault != test.fault || !reflect.DeepEqual(got, test.want) {
				t.Errorf("Read = %#v, %q, want %#v, %q", got, fault, test.want, test.fault)
			}
		})
	}
}
