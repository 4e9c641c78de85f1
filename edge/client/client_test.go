package client

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

func TestDial_SaysHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		done := make(chan *Client, 1)
		go func() {
			c, err := Dial(t.Context(), "ws://edge.test", WithDialer(s.dial), WithName("probe"),
				WithTraceparent(func() string { return "00-1-2-01" }))
			if err != nil {
				t.Error(err)
			}
			done <- c
		}()
		_, hello := s.welcomed(t, nil)
		c := <-done
		defer c.Close()
		if raw, err := base64.RawURLEncoding.DecodeString(hello.Next); err != nil || len(raw) != 32 {
			t.Errorf("next = %q, want the base64url of 32 bytes", hello.Next)
		}
		if len(hello.Resume) != 0 || hello.Attempt != 1 || hello.Acked != 0 || len(hello.Rooms) != 0 {
			t.Errorf("first hello = %+v, want nothing to resume", hello)
		}
		if hello.Client.Name != "probe" || hello.Trace != "00-1-2-01" {
			t.Errorf("hello = %+v, want the given name and trace", hello)
		}
		if c.Session() != "session-1" || c.Edge() != "edge-1" || c.Limits() != contract.DefaultLimits() {
			t.Errorf("session %q, edge %q, want those of the welcome", c.Session(), c.Edge())
		}
	})
}

func TestDial_Fails(t *testing.T) {
	t.Run("HTTP status", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			s.refuse = []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 20\r\n\r\n{\"code\":\n \"draining\"}")
			_, err := Dial(t.Context(), "ws://edge.test", WithDialer(s.dial))
			var refused *HandshakeError
			if !errors.As(err, &refused) || refused.Status != 503 || refused.Body != `{"code": "draining"` {
				t.Errorf("error %v, want HTTP 503 with its text", err)
			}
		})
	})
	t.Run("no welcome in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			began := time.Now()
			_, err := Dial(t.Context(), "ws://edge.test", WithDialer(s.dial), WithConnectTimeout(3*time.Second))
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
				t.Errorf("error %v after %v, want a time-out after 3 s", err, time.Since(began))
			}
		})
	})
	t.Run("closed for good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			failed := make(chan error, 1)
			go func() {
				_, err := Dial(t.Context(), "ws://edge.test", WithDialer(s.dial))
				failed <- err
			}()
			conn := s.accept(t)
			conn.expect(t, contract.TypeHello, nil)
			conn.close(t, contract.CloseForbidden)
			if err := <-failed; err == nil || !strings.Contains(err.Error(), "4503") {
				t.Errorf("error %v, want the close code", err)
			}
		})
	})
	t.Run("options", func(t *testing.T) {
		_, err := Dial(t.Context(), "ftp://edge.test", WithBackoff(2, 1), WithOutbox(0, 0), WithEventBuffer(0, 1), WithConnectTimeout(0))
		for _, word := range []string{"ws://", "backoff", "outbox", "event buffer", "connect timeout"} {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("error %v, want it to name %q", err, word)
			}
		}
	})
}

func TestDial_TriesEachAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		done := make(chan *Client, 1)
		go func() {
			c, _ := Dial(t.Context(), "ws://one.test", WithDialer(s.dial), WithURLs("http://two.test:81/"), WithConnectTimeout(time.Second))
			done <- c
		}()
		s.accept(t) // and never welcome it
		s.welcomed(t, nil)
		c := <-done
		defer c.Close()
		if len(s.asked) != 2 || s.asked[0] != "one.test:80" || s.asked[1] != "two.test:81" {
			t.Errorf("dialed %v, want both addresses", s.asked)
		}
	})
}

func TestWebSocketURL(t *testing.T) {
	for raw, want := range map[string]string{
		"ws://a":             "ws://a/v1/ws",
		"wss://a:1/":         "wss://a:1/v1/ws",
		"https://a/sig/x":    "wss://a/sig/x",
		"http://a?x=1#frag":  "ws://a/v1/ws?x=1",
		"ws://[::1]:7420/v2": "ws://[::1]:7420/v2",
		"tcp://a":            "",
		"ws:///v1/ws":        "",
		"://":                "",
	} {
		if got, err := webSocketURL(raw); got != want || (err == nil) != (want != "") {
			t.Errorf("webSocketURL(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestClient_Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, r, conn := inLobby(t, s)
		p, err := r.Post(ToAll("never acknowledged"))
		if err != nil {
			t.Fatal(err)
		}
		conn.expect(t, contract.TypeMessage, nil)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		conn.expect(t, contract.TypeBye, nil)
		if code := conn.ended(t); code != 1000 {
			t.Errorf("close code %d, want 1000", code)
		}
		if !errors.Is(p.Err(), ErrClosed) || !errors.Is(c.Err(), ErrClosed) {
			t.Errorf("frame %v, client %v, want ErrClosed", p.Err(), c.Err())
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Next: %v, want ErrClosed", err)
		}
		if err := r.Send(t.Context(), peerToken("bob"), 1); !errors.Is(err, ErrClosed) {
			t.Errorf("Send: %v, want ErrClosed", err)
		}
		if _, err := c.Join(t.Context(), "other"); !errors.Is(err, ErrClosed) {
			t.Errorf("Join: %v, want ErrClosed", err)
		}
		<-c.Done()
	})
}

func TestClient_CloseWithoutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, _, conn := inLobby(t, s)
		conn.conn.Close()
		s.accept(t) // the client says hello and gets no welcome
		began := time.Now()
		c.Close()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Close took %v without a connection, want at most 2 s", took)
		}
	})
}

func TestClient_CloseCodes(t *testing.T) {
	tests := []struct {
		code     contract.CloseCode
		comeBack bool
	}{
		{1000, false}, {1001, true}, {1002, false}, {1003, false}, {1007, false}, {1009, false},
		{1011, true}, {1012, true}, {1013, true}, {1014, false},
		{4408, true}, {4429, true}, {4440, true}, {4499, true},
		{4500, false}, {4501, false}, {4503, false}, {4509, false}, {4510, false}, {4999, false},
	}
	for _, tt := range tests {
		t.Run(strconv.Itoa(int(tt.code)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				c, r, conn := inLobby(t, s)
				conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Code: contract.CodeBadToken, Message: "why"})
				conn.close(t, tt.code)
				if echo := conn.ended(t); echo != int(tt.code) {
					t.Errorf("client closed with %d, want the same code", echo)
				}
				if tt.comeBack {
					s.welcomed(t, resumed)
					event[Resumed](t, r)
					return
				}
				<-c.Done()
				var closed *ClosedError
				if err := c.Err(); !errors.As(err, &closed) || closed.Code != tt.code || !errors.Is(err, contract.CodeBadToken) {
					t.Errorf("client ended with %v, want the code %d and the last error", err, tt.code)
				}
				if _, err := r.Next(t.Context()); !errors.Is(err, closed) {
					t.Errorf("Next: %v, want the client's error", err)
				}
			})
		})
	}
	t.Run("no close frame", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, r, conn := inLobby(t, s)
			conn.conn.Close()
			s.welcomed(t, resumed)
			event[Resumed](t, r)
		})
	})
	t.Run("close without a code", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, r, conn := inLobby(t, s)
			conn.write(t, ws.NewCloseFrame(nil))
			s.welcomed(t, resumed)
			event[Resumed](t, r)
		})
	})
}

func TestClient_RestsWithoutRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, conn := connected(t, s)
		conn.close(t, contract.CloseTooLate)
		conn.ended(t)
		time.Sleep(time.Hour) // of the bubble: nobody may come
		select {
		case <-s.conns:
			t.Fatal("the client came back without a room to join")
		default:
		}
		failed := make(chan error, 1)
		go func() {
			_, err := c.Join(t.Context(), "lobby")
			failed <- err
		}()
		conn, hello := s.welcomed(t, nil)
		if hello.Attempt != 2 {
			t.Errorf("attempt %d, want 2", hello.Attempt)
		}
		conn.expect(t, contract.TypeJoin, nil)
		conn.send(t, contract.ErrorFrame{Type: contract.TypeError, Re: 1, Code: contract.CodeRoomFull, Message: "no"})
		if err := <-failed; !errors.Is(err, contract.CodeRoomFull) {
			t.Errorf("Join: %v, want room_full", err)
		}
	})
}

func TestClient_KeepAlive(t *testing.T) {
	t.Run("pong repeats t", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, conn := connected(t, s)
			conn.write(t, ws.NewTextFrame([]byte(`{"type":"ping","t":{"a":[1]}}`)))
			if got := string(conn.next(t)); got != `{"type":"pong","t":{"a":[1]}}` {
				t.Errorf("client answered %s", got)
			}
			conn.write(t, ws.NewPingFrame([]byte("raw")))
			if got := string(conn.next(t)); got != "pong raw" {
				t.Errorf("client answered %s", got)
			}
		})
	})
	t.Run("dead after two missed pings", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			_, r, conn := inLobby(t, s)
			began := time.Now()
			conn.ended(t)
			if took := time.Since(began); took < 40*time.Second || took > 53*time.Second {
				t.Errorf("client gave up after %v, want a bit more than two intervals of 20 s", took)
			}
			s.welcomed(t, resumed)
			event[Resumed](t, r)
		})
	})
	t.Run("alive with pings", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, conn := connected(t, s)
			for range 10 {
				time.Sleep(21 * time.Second)
				conn.send(t, contract.Ping{Type: contract.TypePing})
				conn.expect(t, contract.TypePong, nil)
			}
			if st := c.Stats(); st.Connects != 1 {
				t.Errorf("%d connections, want 1", st.Connects)
			}
		})
	})
}

func TestClient_RefusesBrokenWebSocket(t *testing.T) {
	masked := ws.MaskFrame(ws.NewTextFrame([]byte("{}")))
	tests := map[string]struct {
		frame ws.Frame
		code  int
	}{
		"binary":           {ws.NewBinaryFrame([]byte{1}), 1003},
		"not UTF-8":        {ws.NewTextFrame([]byte("\xff")), 1007},
		"too long":         {ws.NewTextFrame([]byte(strings.Repeat("x", 64<<10+1))), 1009},
		"masked":           {masked, 1002},
		"reserved opcode":  {ws.NewFrame(0x5, true, nil), 1002},
		"close of a byte":  {ws.NewCloseFrame([]byte{3}), 1002},
		"lone continution": {ws.NewFrame(ws.OpContinuation, true, nil), 1002},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				_, r, conn := inLobby(t, s)
				go func() { // the client may stop reading in the middle
					if raw, err := ws.CompileFrame(tt.frame); err == nil {
						_, _ = conn.conn.Write(raw)
					}
				}()
				if code := conn.ended(t); code != tt.code {
					t.Errorf("client closed with %d, want %d", code, tt.code)
				}
				s.welcomed(t, resumed)
				event[Resumed](t, r)
			})
		})
	}
}

func TestClient_ReadsFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, r, conn := inLobby(t, s)
		text, _ := marshal(relayed("bob", 1, `"ä"`))
		cut := strings.IndexByte(string(text), 0xc3) + 1 // in the middle of a code point
		conn.write(t, ws.NewFrame(ws.OpText, false, text[:cut]))
		conn.write(t, ws.NewPingFrame(nil))
		conn.write(t, ws.NewFrame(ws.OpContinuation, true, text[cut:]))
		if got := event[Message](t, r); string(got.Data) != `"ä"` {
			t.Errorf("data %s", got.Data)
		}
		if got := string(conn.next(t)); got != "pong " {
			t.Errorf("client answered %q to the ping between", got)
		}
	})
}
