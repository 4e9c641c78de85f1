package contract_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestDocs_EveryCodeHasASection(t *testing.T) {
	sections := sectionsOf(t, "errors.md")
	for _, code := range contract.Codes() {
		body, ok := sections[string(code)]
		if !ok {
			t.Errorf("docs/errors.md has no section %q", code)
			continue
		}
		head := fmt.Sprintf("Status %d.", code.Status())
		if code.Retryable() {
			head = fmt.Sprintf("Status %d, retry.", code.Status())
		}
		if !strings.HasPrefix(strings.TrimSpace(body), head) {
			t.Errorf("the section %s doesn't begin with %q", code, head)
		}
		for _, part := range []string{"**Cause:**", "**Cure:**"} {
			if !strings.Contains(body, part) {
				t.Errorf("the section %s has no %s", code, part)
			}
		}
		delete(sections, string(code))
	}
	codeForm := regexp.MustCompile(`^[a-z]+_[a-z_]+$`)
	for name := range sections {
		if codeForm.MatchString(name) {
			t.Errorf("docs/errors.md has a section on %q, which is no code", name)
		}
	}
}

func TestDocs_EveryCloseCodeHasASection(t *testing.T) {
	sections := sectionsOf(t, "errors.md")
	for _, pin := range pins {
		code, is := pin.got.(contract.CloseCode)
		if !is {
			continue
		}
		body, ok := sections[pin.want]
		if !ok {
			t.Errorf("docs/errors.md has no section %s", pin.want)
			continue
		}
		if back := strings.Contains(body, "Comes back"); back != code.ComeBack() {
			t.Errorf("the section %d says that a client comes back: %t", code, back)
		}
		if away := strings.Contains(body, "Doesn't come back"); away == code.ComeBack() {
			t.Errorf("the section %d says that a client doesn't come back: %t", code, away)
		}
	}
}

func TestDocs_EveryRuleIsListed(t *testing.T) {
	text := docOf(t, "errors.md")
	for _, rule := range contract.Rules() {
		if !strings.Contains(text, fmt.Sprintf("| `%s` |", rule)) {
			t.Errorf("docs/errors.md doesn't list the rule %s", rule)
		}
	}
}

func TestDocs_EveryLimitIsListed(t *testing.T) {
	_, section, ok := strings.Cut(docOf(t, "protocol.md"), "\n## 14. Limits\n")
	if !ok {
		t.Fatal("docs/protocol.md has no section on limits")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	limits := reflect.ValueOf(contract.DefaultLimits())
	for _, field := range reflect.VisibleFields(limits.Type()) {
		name := field.Tag.Get("json")
		var row string
		for line := range strings.Lines(section) {
			if strings.HasPrefix(line, "|") && strings.Contains(line, "`"+name+"`") {
				row = line
				break
			}
		}
		value := grouped(limits.FieldByIndex(field.Index).Int())
		if row == "" || !slices.Contains(strings.FieldsFunc(row, func(r rune) bool { return r == '|' || r == ' ' }), value) &&
			!strings.Contains(row, " "+value+",") {
			t.Errorf("docs/protocol.md doesn't say that %s is %s: %q", name, value, row)
		}
	}
}

func TestDocs_EveryFrameAndMemberIsNamed(t *testing.T) {
	text := docOf(t, "protocol.md")
	named := func(word string) bool {
		return regexp.MustCompile(`[` + "`" + `"{ ]` + regexp.QuoteMeta(word) + `[` + "`" + `",?:}\] ]`).MatchString(text)
	}
	types := map[string]any{}
	for name, frame := range serverFrames {
		types[name] = frame
	}
	for name, frame := range clientFrames {
		types["client "+name] = frame.body
		if !strings.Contains(text, "`"+name) {
			t.Errorf("docs/protocol.md doesn't name the frame %s", name)
		}
	}
	for name, frame := range types {
		if !strings.HasPrefix(name, "client ") && !strings.Contains(text, "`"+name) {
			t.Errorf("docs/protocol.md doesn't name the frame %s", name)
		}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(frame)) {
			member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !named(member) {
				t.Errorf("docs/protocol.md doesn't name the member %s of %s", member, name)
			}
		}
	}
}

// grouped writes a number with a comma before each third digit.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// sectionsOf returns the bodies of the third-level sections by their titles.
func sectionsOf(t *testing.T, name string) map[string]string {
	t.Helper()
	sections := map[string]string{}
	for _, section := range strings.Split(docOf(t, name), "\n### ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		if _, twice := sections[title]; twice {
			t.Errorf("docs/%s has two sections %q", name, title)
		}
		sections[title] = body
	}
	return sections
}

func docOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
