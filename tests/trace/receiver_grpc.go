package trace

import (
	"context"
	"net"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

// ReceiveGRPC starts a receiver that speaks gRPC, as Jaeger does to a collector.
func ReceiveGRPC(t testing.TB, address string) *Receiver {
	t.Helper()
	r := newReceiver()
	listener, err := net.Listen("tcp", address) //nolint:noctx // binds at once
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, grpcReceiver{receiver: r})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Errorf("the receiver: %v", err)
		}
	})
	return r
}

type grpcReceiver struct {
	collector.UnimplementedTraceServiceServer

	receiver *Receiver
}

// Export takes one export.
func (g grpcReceiver) Export(_ context.Context, batch *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	g.receiver.keep(batch)
	return &collector.ExportTraceServiceResponse{}, nil
}
