package envelope

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

// part is a part as Decode reads it.
func part(t *testing.T, text []byte) *contract.Part {
	t.Helper()
	p, ok := accepted(t, string(text)).Body.(*contract.Part)
	if !ok {
		t.Fatalf("%.80s is no part", text)
	}
	return p
}

func TestSplit(t *testing.T) {
	const partBytes = 1 << 10
	id := strings.Repeat("i", contract.MaxPartIDBytes)
	random := rand.New(rand.NewPCG(3, 4))
	mixed := make([]rune, 20_000)
	for i := range mixed {
		mixed[i] = []rune{'a', '"', '\\', '\n', '\x01', 'é', '€', '😀', '\u2028', '\ufffd'}[random.IntN(10)]
	}
	for name, text := range map[string]string{
		"over by one":           strings.Repeat("a", partBytes+1),
		"plain":                 strings.Repeat("a", 100_000),
		"quotes":                strings.Repeat(`"`, 50_000),
		"control characters":    strings.Repeat("\x01", 20_000),
		"four bytes a point":    strings.Repeat("😀", 30_000),
		"everything":            string(mixed),
		"cut before a surprise": strings.Repeat("a", partBytes-150) + strings.Repeat("😀\x01", 300),
	} {
		t.Run(name, func(t *testing.T) {
			parts := Split([]byte(text), partBytes, id)
			var a Assembler
			var got []byte
			for i, raw := range parts {
				if len(raw) > partBytes {
					t.Fatalf("part %d has %d bytes, at most %d may be", i, len(raw), partBytes)
				}
				if i < len(parts)-1 && len(raw) < partBytes*9/10 {
					t.Errorf("part %d of %d has only %d bytes", i, len(parts), len(raw))
				}
				p := part(t, raw)
				if p.ID != id || p.Index != i || p.Of != len(parts) || !utf8.ValidString(p.Chunk) {
					t.Fatalf("part %d is %d of %d", i, p.Index, p.Of)
				}
				text, done, err := a.Add(p, len(text))
				if err != nil {
					t.Fatal(err)
				}
				if done != (i == len(parts)-1) {
					t.Fatalf("done after part %d of %d: %v", i, len(parts), done)
				}
				got = text
			}
			if string(got) != text {
				t.Errorf("%d bytes came back, want the same %d", len(got), len(text))
			}
		})
	}
	t.Run("a short text stays as it is", func(t *testing.T) {
		text := strings.Repeat("a", partBytes)
		got := Split([]byte(text), partBytes, id)
		if len(got) != 1 || string(got[0]) != text {
			t.Errorf("%d parts, want the text alone", len(got))
		}
	})
}

func TestAssembler_Add(t *testing.T) {
	type step struct {
		id        string
		index, of int
		chunk     string
		done      string
		code      contract.Code
	}
	const bad, large = contract.CodeBadPart, contract.CodeTooLarge
	const most = 10
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"one part", []step{{"a", 0, 1, "x", "x", ""}}},
		{"two frames in turns", []step{
			{"a", 0, 2, "a", "", ""}, {"b", 0, 2, "b", "", ""}, {"a", 1, 2, "A", "aA", ""}, {"b", 1, 2, "B", "bB", ""}, {"a", 0, 1, "again", "again", ""},
		}},
		{"a third one", []step{{"a", 0, 2, "a", "", ""}, {"b", 0, 2, "b", "", ""}, {"c", 0, 2, "c", "", bad}, {"a", 1, 2, "A", "aA", ""}, {"c", 0, 1, "c", "c", ""}}},
		{"a part left out", []step{{"a", 0, 3, "a", "", ""}, {"a", 2, 3, "c", "", bad}, {"a", 1, 3, "b", "", bad}, {"a", 0, 1, "x", "x", ""}}},
		{"a part twice", []step{{"a", 0, 3, "a", "", ""}, {"a", 0, 3, "a", "", bad}}},
		{"one that wasn't begun", []step{{"a", 1, 2, "b", "", bad}}},
		{"another number of parts", []step{{"a", 0, 2, "a", "", ""}, {"a", 1, 3, "b", "", bad}}},
		{"an empty part", []step{{"a", 0, 2, "", "", bad}}},
		{"an index that is no index", []step{{"a", 2, 2, "x", "", bad}, {"a", -1, 2, "x", "", bad}, {"a", 0, 0, "x", "", bad}}},
		{"as long as may be", []step{{"a", 0, 2, "12345", "", ""}, {"a", 1, 2, "67890", "1234567890", ""}}},
		{"longer, in two parts", []step{{"a", 0, 2, "12345", "", ""}, {"a", 1, 2, "678901", "", large}, {"a", 1, 2, "x", "", bad}}},
		{"longer, in one part", []step{{"a", 0, 1, "12345678901", "", large}}},
		{"longer, two frames together", []step{{"a", 0, 2, "123456", "", ""}, {"b", 0, 2, "12345", "", large}, {"a", 1, 2, "7890", "1234567890", ""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var a Assembler
			for i, s := range test.steps {
				text, done, err := a.Add(&contract.Part{ID: s.id, Index: s.index, Of: s.of, Chunk: s.chunk}, most)
				if err == nil && s.code != "" || err != nil && err.Code != s.code {
					t.Fatalf("step %d: error %v, want %q", i, err, s.code)
				}
				if done != (s.done != "") || done && string(text) != s.done {
					t.Fatalf("step %d: %q, %v, want %q", i, text, done, s.done)
				}
			}
		})
	}
	t.Run("holds nothing when nothing is unfinished", func(t *testing.T) {
		var a Assembler
		for i := range 2 {
			if _, _, err := a.Add(&contract.Part{ID: "a", Index: i, Of: 2, Chunk: "x"}, most); err != nil {
				t.Fatal(err)
			}
		}
		if a.open != nil {
			t.Error("something is held")
		}
	})
	t.Run("the beginning of a frame that is too long tells its seq", func(t *testing.T) {
		frame := `{"type":"message","seq":42,"room":"r","data":"` + strings.Repeat("x", 5000) + `"}`
		var a Assembler
		for _, raw := range Split([]byte(frame), 1<<10, "id") {
			text, _, err := a.Add(part(t, raw), 3000)
			if err == nil {
				continue
			}
			if err.Code != contract.CodeTooLarge {
				t.Fatal(err)
			}
			if got, want := Decode(text, limits()).Seq, uint64(42); got != want {
				t.Errorf("seq %d, want %d", got, want)
			}
			return
		}
		t.Error("the frame passed")
	})
}
