package link

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/parley-rtc/parley/services/telemetry"
)

// The values of the label "reason" of retries and of dropped.
const (
	retryNoResponders = "no_responders"
	retryTimeout      = "timeout"
	retryRefused      = "refused"
	retryDisconnected = "disconnected"
	retryOther        = "other"

	droppedQueueFull = "queue_full"
	droppedTooLarge  = "too_large"
)

var (
	entries = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_link_entries_total", Help: "Entries whose outcome is known.",
	})
	signals = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_link_signals_total", Help: "Signals in those entries.",
	})
	commitSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "parley_link_commit_seconds", Help: "From the cut of an entry to its known outcome.",
		Buckets: prometheus.ExponentialBuckets(0.00025, 2, 17),
	})
	retries = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_link_retries_total", Help: "Attempts that were repeated, by reason.",
	}, []string{"reason"}), retryNoResponders, retryTimeout, retryRefused, retryDisconnected, retryOther)
	dropped = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_link_dropped_total", Help: "Signals that no link took, by reason.",
	}, []string{"reason"}), droppedQueueFull, droppedTooLarge)
)
