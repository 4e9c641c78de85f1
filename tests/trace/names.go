package trace

import (
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/parley-rtc/parley/tests/netns"
)

// nameserver is where Names answers. A namespace has it to itself.
const nameserver = "127.0.0.53"

// Names is a DNS server that knows containers as Docker's does: one address for
// each container of a service, under the service's name.
type Names struct {
	mu        sync.Mutex
	addresses map[string][]string
}

// Resolve makes a Names what every program of the namespace asks.
func Resolve(t *testing.T) *Names {
	t.Helper()
	n := &Names{addresses: map[string][]string{}}
	conn, err := net.ListenPacket("udp", nameserver+":53") //nolint:noctx // binds at once
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serve(conn)
	}()
	t.Cleanup(func() {
		_ = conn.Close() // which ends serve
		<-done
	})
	netns.Replace(t, "/etc/resolv.conf", "nameserver "+nameserver+"\n")
	return n
}

// Set says what a name's addresses are from now on.
func (n *Names) Set(name string, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addresses[name] = addresses
}

func (n *Names) serve(conn net.PacketConn) {
	buffer := make([]byte, 4096)
	for {
		size, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if reply, err := n.answer(buffer[:size]); err == nil {
			_, _ = conn.WriteTo(reply, from) // who asked asks again
		}
	}
}

// answer answers one question (RFC 1035, section 4.1).
func (n *Names) answer(query []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(query)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	addresses, known := n.addresses[strings.TrimSuffix(question.Name.String(), ".")]
	n.mu.Unlock()
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RCode: dnsmessage.RCodeSuccess},
		Questions: []dnsmessage.Question{question},
	}
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	if question.Type == dnsmessage.TypeA {
		for _, address := range addresses {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(address).To4())},
			})
		}
	}
	return reply.Pack()
}
