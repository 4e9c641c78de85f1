package bus

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// dropQueueFull is the only reason for which this package drops a message: the
// server's queue holds as many as it may.
const dropQueueFull = "queue_full"

// The operations that are retried.
const (
	opRequest = "request"
	opRead    = "read"
	opUpdate  = "update"
	opOpen    = "open"
	opWatch   = "watch"
)

var (
	reconnects = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_bus_reconnects_total", Help: "Times the connection to NATS came back.",
	})
	asyncErrors = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_bus_async_errors_total", Help: "Errors that the NATS client reported outside any call.",
	})
	overrunsSeen = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_bus_overruns_total", Help: "Times a reader of a stream was so slow that messages were dropped, which it then read again.",
	})
	_ = promauto.NewCounterFunc(prometheus.CounterOpts{
		Name: "parley_bus_dropped_total", Help: "Messages that were dropped before a handler saw them, by reason.",
		ConstLabels: prometheus.Labels{"reason": dropQueueFull},
	}, drops.total)
	panics = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_bus_handler_panics_total", Help: "Panics that were recovered in message handlers.",
	})
	retries = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_bus_retries_total", Help: "Attempts that were repeated, by operation.",
	}, []string{"operation"})
)
