package contract_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestCursor(t *testing.T) {
	edge := mustToken(t, "edge-1-aaaa")
	tests := []struct {
		name   string
		cursor contract.Cursor
		want   string
	}{
		{"start", contract.Cursor{Edge: edge}, "edge-1-aaaa.0.0"},
		{"position", contract.Cursor{Edge: edge, Epoch: 1762300000, Revision: 812}, "edge-1-aaaa.t587ds.mk"},
		{"largest", contract.Cursor{Edge: edge, Epoch: math.MaxUint64, Revision: math.MaxUint64}, "edge-1-aaaa.3w5e11264sgsf.3w5e11264sgsf"},
		{"escaped edge", contract.Cursor{Edge: mustID(t, "a.b").Token(), Epoch: 1, Revision: 2}, "=YS5i.1.2"},
		{"with an app", contract.Cursor{Edge: edge, Epoch: 1, Revision: 2, App: mustToken(t, "demo")}, "edge-1-aaaa.1.2.demo"},
		{"with an escaped app", contract.Cursor{Edge: edge, Epoch: 1, Revision: 2, App: mustID(t, "a.b").Token()}, "edge-1-aaaa.1.2.=YS5i"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cursor.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := string(tt.cursor.Append([]byte("x"))); got != "x"+tt.want {
				t.Errorf("Append made %q", got)
			}
			back, err := contract.ParseCursor(tt.want)
			if err != nil || back != tt.cursor {
				t.Errorf("came back as %+v, %v", back, err)
			}
		})
	}
}

func TestParseCursor_Bad(t *testing.T) {
	for _, bad := range []string{
		"", ".", "..", "edge", "edge.1", "edge.1.2.", "edge.1.2.*", "edge.1.2.a.b", ".1.2", "edge..2", "edge.1.", "a.b.1.2.3", "*.1.2", ">.1.2", "edge.-1.2",
		"edge.1.+2", "edge.1.2 ", "edge. 1.2", "edge.1_0.2", "edge.1.2\r\n", "edge.é.2", "=K\ng.1.2",
		"edge.1.3w5e11264sgsg", // one over 64 bits
		strings.Repeat("x", 4096) + ".1.2",
	} {
		if got, err := contract.ParseCursor(bad); !errors.Is(err, contract.ErrBadCursor) {
			t.Errorf("%.40q: got %+v, %v; want ErrBadCursor", bad, got, err)
		}
	}
}

func TestCursor_AppendAllocatesNothing(t *testing.T) {
	cursor := contract.Cursor{Edge: mustToken(t, "edge-1-aaaa"), Epoch: math.MaxUint64, Revision: math.MaxUint64, App: mustToken(t, "demo")}
	buffer := make([]byte, 0, 128)
	if got := testing.AllocsPerRun(100, func() { buffer = cursor.Append(buffer[:0]) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// FuzzParseCursor takes any text: what is read as a cursor must survive being
// written and read again.
func FuzzParseCursor(f *testing.F) {
	f.Add("edge-1-aaaa.t587ds.mk")
	f.Add("=YS5i.1.2")
	f.Add("edge.1.2.=YS5i")
	f.Add("edge.00.ZZ")
	f.Add("...")
	f.Fuzz(func(t *testing.T, text string) {
		cursor, err := contract.ParseCursor(text)
		if err != nil {
			if cursor != (contract.Cursor{}) {
				t.Fatalf("%q: a cursor %+v beside the error", text, cursor)
			}
			return
		}
		back, err := contract.ParseCursor(cursor.String())
		if err != nil || back != cursor {
			t.Fatalf("%q: %+v came back as %+v, %v", text, cursor, back, err)
		}
	})
}
