package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestSecret_NeverShown(t *testing.T) {
	const value = "hunter2"
	s := Secret(value)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "secret", s, "in", struct{ S Secret }{s})
	inJSON, err := json.Marshal(map[string]any{"s": s, "in": []Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	inYAML, err := yaml.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{
		fmt.Sprint(s), fmt.Sprintf("%s %v %+v %#v %q", s, s, s, s, s), fmt.Sprintf("%+v %#v", struct{ S Secret }{s}, []Secret{s}),
		logged.String(), string(inJSON), string(inYAML),
	} {
		if strings.Contains(got, value) || !strings.Contains(got, redacted) {
			t.Errorf("got %s", got)
		}
	}
	if got := s.Reveal(); got != value {
		t.Errorf("Reveal: got %q, want %q", got, value)
	}
	if got := Secret("").String(); got != "" {
		t.Errorf("an empty secret: got %q, want it empty", got)
	}
}

func TestLoad_SecretsFromFiles(t *testing.T) {
	path := write(t, "key", "s3cret\r\n\n")
	for name, d := range map[string]*door{
		"environment":   mustLoad(t, "", []string{"PARLEY_EDGE__KEY_FILE=" + path}, nil),
		"flag":          mustLoad(t, "", nil, []string{"--edge.key_file=" + path}),
		"file":          mustLoad(t, "edge: {key_file: "+path+"}", nil, nil),
		"over the file": mustLoad(t, "edge: {key: other}", []string{"PARLEY_EDGE__KEY_FILE=" + path}, nil),
	} {
		if got := d.Key.Reveal(); got != "s3cret" {
			t.Errorf("%s: got %q, want s3cret", name, got)
		}
	}
	d := mustLoad(t, "edge: {servers: [{url: u, password_file: "+path+"}], tokens: {demo_file: "+path+"}}", nil, nil)
	if got := d.Servers[0].Password.Reveal(); got != "s3cret" {
		t.Errorf("in a list: got %q, want s3cret", got)
	}
	if got := d.Tokens["demo"].Reveal(); got != "s3cret" {
		t.Errorf("in a map: got %q, want s3cret", got)
	}
}

func TestLoad_SecretFileFaults(t *testing.T) {
	path, gone := write(t, "key", "x"), "/nonexistent/key"
	full := write(t, "full", strings.Repeat("x", maxSecretBytes))
	over := write(t, "over", strings.Repeat("x", maxSecretBytes+1))
	if got := len(mustLoad(t, "", []string{"PARLEY_EDGE__KEY_FILE=" + full}, nil).Key); got != maxSecretBytes {
		t.Errorf("the largest file: got %d bytes, want %d", got, maxSecretBytes)
	}
	for _, tc := range []struct {
		name          string
		file          string
		environ, args []string
		want          string
	}{
		{"both in the environment", "", []string{"PARLEY_EDGE__KEY=hunter2", "PARLEY_EDGE__KEY_FILE=" + path}, nil, "PARLEY_EDGE__KEY_FILE: the secret itself is given too"},
		{"both in the file", "edge: {key: hunter2, key_file: " + path + "}", nil, nil, "edge.key_file: the secret itself is given too"},
		{"both as flags", "", nil, []string{"--edge.key=hunter2", "--edge.key_file=" + path}, "--edge.key_file: the secret itself is given too"},
		{"both in a map", "edge: {tokens: {demo: hunter2, demo_file: " + path + "}}", nil, nil, "edge.tokens.demo_file: the secret itself"},
		{"unreadable by variable", "", []string{"PARLEY_EDGE__KEY_FILE=" + gone}, nil, "PARLEY_EDGE__KEY_FILE: read secret: open " + gone},
		{"unreadable by key", "edge: {key_file: " + gone + "}", nil, nil, "edge.key_file: read secret: open " + gone},
		{"too large", "", nil, []string{"--edge.key_file=" + over}, "larger than 65536 bytes"},
		{"a folder", "", nil, []string{"--edge.key_file=/"}, "--edge.key_file: read secret: read /"},
		{"no path", "edge: {key_file: ''}", nil, nil, "edge.key_file: must be the path of a file"},
		{"not a secret", "edge: {listen_file: " + path + "}", nil, nil, "edge.listen_file: unknown key"},
		{"a secret of the wrong type", `edge: {tokens: {demo: [hunter2]}, servers: [{password: {a: hunter2}}]}`, nil, nil, "put quotes around it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := load(t, tc.file, tc.environ, tc.args)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want it to contain %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}
