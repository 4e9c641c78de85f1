package roomsvc

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// The values of the label "outcome" of changeSeconds.
const (
	outcomeDone       = "done"       // every operation was applied
	outcomeRefused    = "refused"    // some were refused
	outcomeRepeated   = "repeated"   // applied before
	outcomeStale      = "stale"      // applied before a later one
	outcomeError      = "error"      // answered with an error, nothing was applied
	outcomeUnanswered = "unanswered" // nobody knows; the asker will repeat it
)

// The values of the label "reason" of refused, beside the codes of bad input.
const (
	reasonQueueFull     = "queue_full"      // max_pending or max_pending_bytes
	reasonRoomQueueFull = "room_queue_full" // max_pending_room
	reasonStopping      = "stopping"
	reasonNoReply       = "no_reply" // the request names nobody to answer
	// Of streamDropped.
	reasonSlowReader = "slow_reader" // stream_queue
)

var (
	changeSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "parley_roomsvc_change_seconds", Help: "From a request's arrival to its answer.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
	}, []string{"outcome"})
	refused = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_roomsvc_refused_total", Help: "Requests that were not looked into, by reason.",
	}, []string{"reason"})
	operations = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_roomsvc_operations_total", Help: "Operations that were answered, by kind and code (done: none).",
	}, []string{"kind", "code"})
	commits = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_roomsvc_commits_total", Help: "Room documents that were written.",
	})
	commitSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "parley_roomsvc_commit_seconds", Help: "From the begin of a group to its stored document.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
	})
	groupRequests = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "parley_roomsvc_group_requests", Help: "Requests that were committed together.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 11),
	})
	commitRetries = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_roomsvc_commit_retries_total", Help: "Writes of a document that were tried again, by reason.",
	}, []string{"reason"})
	announcements = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_roomsvc_announcements_total", Help: "Event signals to an edge, by outcome.",
	}, []string{"outcome"})
	apiSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "parley_roomsvc_api_seconds", Help: "Time to answer a call of the Server API, by what was asked and result: ok or the code of the error.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
	}, []string{"request", "result"})
	streams = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "parley_roomsvc_streams", Help: "Event streams that are open.",
	})
	streamLines = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_roomsvc_stream_lines_total", Help: "Lines for event streams.",
	})
	streamDropped = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_roomsvc_stream_dropped_total", Help: "Lines that an event stream didn't get, by reason.",
	}, []string{"reason"})
	streamRestarts = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_roomsvc_stream_restarts_total", Help: "Consumers of the signal log for event streams that were made again.",
	})
	roomsGauge = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "parley_roomsvc_rooms", Help: "Rooms with members, by this process's index.",
	})
	membersGauge = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "parley_roomsvc_members", Help: "Members of all rooms, by this process's index.",
	})
	edgesOut = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "parley_roomsvc_edges_out", Help: "Edges with members whose lease is out.",
	})
	sweeps = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_roomsvc_sweeps_total", Help: "Rooms that were swept of members of an edge that is out, by outcome.",
	}, []string{"outcome"})
	expired = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_roomsvc_expired_members_total", Help: "Members that this process set to gone.",
	})
	refreshed = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_roomsvc_refreshed_documents_total", Help: "Room documents that were written again as they were.",
	})
	told = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_roomsvc_told_rooms_total", Help: "Room revisions that were told to edges.",
	})
)
