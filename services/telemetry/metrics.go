package telemetry

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var buildInfo = promauto.NewGaugeVec(prometheus.GaugeOpts{
	Name: "parley_build_info",
	Help: "Always 1; the labels say which program runs.",
}, []string{"service", "version", "go"})

func recordBuild(service, version string) {
	buildInfo.WithLabelValues(service, version, runtime.Version()).Set(1)
}

// FromZero returns a counter that shows each of the values of its only label from
// the start. Prometheus compares samples: a series that appears with its first
// event never rose, and neither a rate nor an alert would see that event.
func FromZero[T ~string](counter *prometheus.CounterVec, values ...T) *prometheus.CounterVec {
	for _, value := range values {
		counter.WithLabelValues(string(value))
	}
	return counter
}

// MetricsHandler serves Prometheus's default registry.
func MetricsHandler() http.Handler { return promhttp.Handler() }
