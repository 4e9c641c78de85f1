package standalone

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// idle closes the connections that HTTP clients keep, before leaks are looked
// for.
type idle struct{ *testing.M }

func (m idle) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return m.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(idle{m}) }
