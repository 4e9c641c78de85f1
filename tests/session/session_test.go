package session

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const vectors = "../../services/contract/testdata/vectors/sessions.json"

func TestSessions(t *testing.T) {
	text, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	var scripts []script
	if err := json.Unmarshal(text, &scripts); err != nil {
		t.Fatal(err)
	}
	common := stack.InProcess(t, stack.Options{Limits: contract.DefaultLimits()})
	for i := range scripts {
		sc := &scripts[i]
		t.Run(sc.Name, func(t *testing.T) {
			s := common
			if len(sc.Limits) > 0 {
				limits := contract.DefaultLimits()
				if err := json.Unmarshal(sc.Limits, &limits); err != nil {
					t.Fatal(err)
				}
				s = stack.InProcess(t, stack.Options{Limits: limits})
			}
			if err := play(t.Context(), s, fmt.Sprintf("script-%d", i), sc); err != nil {
				t.Error(err)
			}
		})
	}
}
