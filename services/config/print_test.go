package config

import (
	"bytes"
	"testing"
)

func TestLoaded_Print(t *testing.T) {
	const file = `
edge:
  limits: {rate: 9}
  servers: [{url: u1, password: hunter2}]
  tokens: {demo: hunter2}
`
	key := write(t, "key", "hunter2")
	_, l, err := load(t, file, []string{"PARLEY_EDGE__ORIGINS=x,true", "PARLEY_EDGE__KEY_FILE=" + key}, []string{"--edge.open", "--edge.proxy=10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	path := l.origins["edge.servers"]
	for _, tc := range []struct {
		name    string
		sources bool
		want    string
	}{
		{"plain", false, `edge:
  listen: 127.0.0.1:1
  max_bytes: 10
  small: 0
  ratio: 0.5
  open: true
  wait: 1s
  origins:
    - x
    - "true"
  proxy: 10.0.0.0/8
  key: '[redacted]'
  limits:
    rate: 9
    burst: 1m0s
  servers:
    - url: u1
      password: '[redacted]'
  labels:
    zone: one
  tokens:
    demo: '[redacted]'
`},
		{"with sources", true, `edge:
  listen: 127.0.0.1:1 # default
  max_bytes: 10 # default
  small: 0 # default
  ratio: 0.5 # default
  open: true # --edge.open
  wait: 1s # default
  origins: # PARLEY_EDGE__ORIGINS
    - x
    - "true"
  proxy: 10.0.0.0/8 # --edge.proxy
  key: '[redacted]' # PARLEY_EDGE__KEY_FILE
  limits:
    rate: 9 # ` + path + `
    burst: 1m0s # default
  servers: # ` + path + `
    - url: u1
      password: '[redacted]'
  labels: # default
    zone: one
  tokens: # ` + path + `
    demo: '[redacted]'
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got bytes.Buffer
			if err := l.Print(&got, tc.sources); err != nil {
				t.Fatal(err)
			}
			if got.String() != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), tc.want)
			}
		})
	}
}
