package trace

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/parley-rtc/parley/tests/stack"
)

// Exposition is what one process shows under /metrics.
type Exposition struct {
	Text     string
	families map[string]*dto.MetricFamily
}

// Scrape asks a process for its metrics, as Prometheus does.
func Scrape(t testing.TB, p *stack.Process) Exposition {
	t.Helper()
	answer := Probe(t, p, "/metrics")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewBufferString(answer.Body))
	if err != nil {
		t.Fatalf("the metrics of %s can't be read: %v", p.Program(), err)
	}
	return Exposition{answer.Body, families}
}

// Own are the families of Parley's own metrics by name.
func (e Exposition) Own() []*dto.MetricFamily {
	var own []*dto.MetricFamily
	for _, name := range slices.Sorted(maps.Keys(e.families)) {
		if strings.HasPrefix(name, "parley_") {
			own = append(own, e.families[name])
		}
	}
	return own
}

// Observed is how often a histogram was observed, over all its labels; an error
// if it is none.
func (e Exposition) Observed(name string) (uint64, error) {
	family := e.families[name]
	if family == nil {
		return 0, fmt.Errorf("%s isn't there", name)
	}
	if family.GetType() != dto.MetricType_HISTOGRAM {
		return 0, fmt.Errorf("%s is a %s", name, family.GetType())
	}
	var count uint64
	for _, m := range family.GetMetric() {
		count += m.GetHistogram().GetSampleCount()
	}
	return count, nil
}

// Counted is the value of a counter for one value of its only label, 0 if there
// is none.
func (e Exposition) Counted(name, label string) float64 {
	for _, m := range e.families[name].GetMetric() {
		if len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label {
			return m.GetCounter().GetValue()
		}
	}
	return 0
}
