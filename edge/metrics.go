package edge

import (
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

// Why a signal isn't given or taken; with the rule `superseded` the label of
// undelivered_total.
const (
	undeliveredNoRoom       = "no_room"
	undeliveredUnknownKind  = "unknown_kind"
	undeliveredWrongPlace   = "wrong_place"
	undeliveredReceiverGone = "receiver_gone"
	undeliveredComesAgain   = "comes_again"
	undeliveredRepeated     = "repeated"
	undeliveredLaneFull     = "lane_full"
)

// What becomes of a resume; the label of resumes_total.
const (
	resumeHere    = "resumed" // this edge held the session
	resumeAdopted = "adopted" // another one did
	resumeLost    = "lost"    // nobody does any more
)

var (
	connections = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "parley_edge_connections", Help: "Connections with a session.",
	})
	roomsTracked = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "parley_edge_rooms", Help: "Rooms with a member on this edge.",
	})
	handshakes = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_handshakes_total", Help: "WebSocket handshakes, by result.",
	}, []string{"result"})
	closed = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_closed_total", Help: "Connections closed, by WebSocket close code.",
	}, []string{"code"}), closeLabels()...)
	received = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_received_total", Help: "Frames from clients, by type.",
	}, []string{"type"})
	refusedFrames = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_refused_total", Help: "Error frames, by code.",
	}, []string{"code"}), contract.Codes()...)
	delivered = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_delivered_total", Help: "Signals given to members, by frame type.",
	}, []string{"type"})
	undelivered = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_undelivered_total", Help: "Signals that were not given to a member or not taken, by reason.",
	}, []string{"reason"}), undeliveredNoRoom, undeliveredUnknownKind, undeliveredWrongPlace, undeliveredReceiverGone,
		undeliveredComesAgain, undeliveredRepeated, undeliveredLaneFull, string(contract.RuleSuperseded))
	replayed = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_edge_replayed_total", Help: "Signals repeated to resumed sessions.",
	})
	gaps = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_edge_gaps_total", Help: "Rooms of resumed sessions in which something could not be replayed.",
	})
	resumes = telemetry.FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_resumes_total", Help: "Hellos with a resume secret, by result.",
	}, []string{"result"}), resumeHere, resumeAdopted, resumeLost)
	resyncs = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_edge_resyncs_total", Help: "Room documents read because a roster was behind.",
	})
	joinSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "parley_edge_join_seconds", Help: "From a join to its answer, refused ones included.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
	})
	iceAsked = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_ice_requests_total", Help: "Requests to authsvc for a member's ICE servers, by result.",
	}, []string{"result"})
	tokens = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_edge_tokens_total", Help: "Room tokens verified, by result.",
	}, []string{"result"})
	entriesRead = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_edge_entries_read_total", Help: "Entries of the log handed on.",
	})
	entriesBad = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_edge_entries_bad_total", Help: "Entries, or parts of them, that can't be read.",
	})
	entriesAsked = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_edge_reader_asked_total", Help: "Entries that the log's leader was asked for, since its consumer was late.",
	})
	readerRestarts = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_edge_reader_restarts_total", Help: "Times the log's consumer was made again.",
	})
)

// receivedBy and deliveredBy are the children of those counters, by frame type
// and by kind: to find one by its label for each message costs more than to count.
var (
	receivedBy = childrenOf(received, contract.TypeHello, contract.TypeJoin, contract.TypeOffer, contract.TypeAnswer,
		contract.TypeCandidate, contract.TypeMessage, contract.TypePresence, contract.TypeModerate, contract.TypeRefresh,
		contract.TypeLeave, contract.TypePing, contract.TypePong, contract.TypeBye, contract.TypePart)
	deliveredBy = childrenOf(delivered, contract.TypeOffer, contract.TypeAnswer, contract.TypeCandidate, contract.TypeMessage)
)

func childrenOf(counter *prometheus.CounterVec, values ...string) map[string]prometheus.Counter {
	children := make(map[string]prometheus.Counter, len(values))
	for _, value := range values {
		children[value] = counter.WithLabelValues(value)
	}
	return children
}

// countReceived keeps the label's values closed.
func countReceived(frameType string) {
	if child := receivedBy[frameType]; child != nil {
		child.Inc()
		return
	}
	received.WithLabelValues("unknown").Inc()
}

// closeCodes are those that an edge sends, and of RFC 6455 section 7.4.1 those
// that say how a connection ended without one.
var closeCodes = []contract.CloseCode{
	contract.CloseNormal, contract.CloseGoingAway, 1002, contract.CloseUnsupported, 1005, 1006, contract.CloseInvalidUTF8,
	contract.CloseTooBig, contract.CloseInternal, contract.CloseRestart, contract.CloseTryLater, contract.CloseTooLate,
	contract.CloseRate, contract.CloseSlowConsumer, contract.CloseBadToken, contract.CloseForbidden,
	contract.CloseReplaced, contract.CloseKicked,
}

// closeOther is every other code.
const closeOther = "other"

func closeLabels() []string {
	labels := []string{closeOther}
	for _, code := range closeCodes {
		labels = append(labels, closeLabel(code))
	}
	return labels
}

// closeLabel keeps the label's values closed: clients may close with any code.
func closeLabel(code contract.CloseCode) string {
	if slices.Contains(closeCodes, code) {
		return strconv.Itoa(int(code))
	}
	return closeOther
}
