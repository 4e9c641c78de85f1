package candidatefilter

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/parley-rtc/parley/services/contract"
)

var (
	sanitiseSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "parley_candidatefilter_sanitise_seconds", Help: "Sanitising one entry.",
		Buckets: prometheus.ExponentialBuckets(0.00001, 2, 16),
	})
	signals = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_candidatefilter_signals_total", Help: "Signals, by frame type and by result: passed, dropped (nothing was left of it) or refused.",
	}, []string{"type", "result"})
	rules = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_candidatefilter_rules_total", Help: "What was taken out or refused, by rule.",
	}, []string{"rule"})
	refusedEntries = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_candidatefilter_refused_entries_total", Help: "Entries that no edge of ours sends.",
	})
	panics = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_candidatefilter_panics_total", Help: "Signals that made the filter panic.",
	})
)

// kindLabel keeps the label's values closed.
func kindLabel(k contract.Kind) string {
	if t := k.Type(); t != "" {
		return t
	}
	if k == contract.KindPresence {
		return contract.TypePresence
	}
	return "unknown"
}
