package authsvc

import (
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
)

// TestServeHTTP_stop: a request that has begun is answered.
func TestServeHTTP_stop(t *testing.T) {
	nc, _ := setup(t)
	svc := start(t, nc, testConfig())
	began := make(chan struct{})
	ctx := httptrace.WithClientTrace(testContext(t), &httptrace.ClientTrace{Got100Continue: func() { close(began) }})
	body, rest := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, svc.url+TokensPath, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Authorization": {"Bearer " + demoKey}, "Content-Type": {"application/json"}, "Expect": {"100-continue"},
	}
	transport := &http.Transport{ExpectContinueTimeout: patience}
	defer transport.CloseIdleConnections()
	status := make(chan string, 1)
	go func() {
		resp, err := transport.RoundTrip(req)
		if err != nil {
			status <- err.Error()
			return
		}
		defer resp.Body.Close()
		status <- resp.Status
	}()
	<-began // the handler reads the body
	stopped := make(chan error, 1)
	go func() { stopped <- svc.stop() }()
	var dialer net.Dialer
	await(t, "no new connections", func() bool {
		conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(svc.url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(rest, hello); err != nil {
		t.Error(err)
	}
	rest.Close()
	if got := <-status; got != "201 Created" {
		t.Errorf("the request that had begun: %s, want 201 Created", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Run = %v, want no error", err)
	}
}
