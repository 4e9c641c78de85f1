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

// MetricsHandler serves Prometheus's default registry.
func MetricsHandler() http.Handler { return promhttp.Handler() }
