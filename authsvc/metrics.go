package authsvc

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// resultOK is the result of a request that was answered with a token; the
// others are the codes of its error.
const resultOK = "ok"

// A signature takes about 50 µs; what takes longer waited.
var tokenSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "parley_authsvc_token_seconds",
	Help:    "Time to answer a request for a room token, by result: ok or the code of the error.",
	Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
}, []string{"result"})

var iceSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "parley_authsvc_ice_seconds",
	Help:    "Time to answer a request for a member's ICE servers, by result: ok or the code of the error.",
	Buckets: []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .01, .1},
}, []string{"result"})
