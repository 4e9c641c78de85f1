package candidatefilter

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

// Why an entry was not put into the log, or its edge not told; the label of
// failed_commits_total.
const (
	failedFull    = "full"    // as many wait for the log as may
	failedPublish = "publish" // NATS is away, or nobody listens where the log should
	failedTimeout = "timeout" // no acknowledgement
	failedRefused = "refused" // JetStream's error, which the edge got
	failedAnswer  = "answer"  // the answer to the edge
)

var (
	sanitiseSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "parley_candidatefilter_sanitise_seconds", Help: "Sanitising one entry.",
		Buckets: prometheus.ExponentialBuckets(0.00001, 2, 16),
	})
	signals = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_candidatefilter_signals_total", Help: "Signals that were judged, by frame type and by result: passed, dropped (nothing was left of it) or refused. A retry is judged again.",
	}, []string{"type", "result"})
	rules = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_candidatefilter_rules_total", Help: "What was taken out or refused, by rule.",
	}, []string{"rule"}), contract.Rules()...)
	refusedEntries = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_candidatefilter_refused_entries_total", Help: "Entries that no edge of ours sends, by what is wrong with them.",
	}, []string{"reason"}), reasonSubject, reasonReply, reasonMessageID, reasonTooLarge, reasonMalformed, reasonName, reasonVerdict, reasonUnknown)
	failedCommits = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_candidatefilter_failed_commits_total", Help: "Sanitised entries that were not put into the log, or whose edge was not told, by reason. The edge sends them again.",
	}, []string{"reason"}), failedFull, failedPublish, failedTimeout, failedRefused, failedAnswer)
	panics = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_candidatefilter_panics_total", Help: "Signals that made the filter panic.",
	})
)

// signalCounters are the counters of signals, looked up once: first by kind, at 0
// for every kind that isn't known, then by result.
var signalCounters = func() (counters [contract.KindEvent + 1][len(resultLabels)]prometheus.Counter) {
	for kind := range counters {
		for r := range counters[kind] {
			counters[kind][r] = signals.WithLabelValues(kindLabel(contract.Kind(kind)), result(r).String())
		}
	}
	return counters
}()

func countSignal(k contract.Kind, r result) {
	if int(k) >= len(signalCounters) {
		k = 0
	}
	signalCounters[k][r].Inc()
}

// kindLabel keeps the label's values closed.
func kindLabel(k contract.Kind) string {
	switch k {
	case contract.KindPresence:
		return contract.TypePresence
	case contract.KindEvent:
		return "event"
	default:
		if t := k.Type(); t != "" {
			return t
		}
		return "unknown"
	}
}
