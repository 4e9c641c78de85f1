package demo

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// policy is the Content-Security-Policy of the page. WebSockets may go to any host, since a page may be told to use the
// edges of another one; everything else comes from where the page came from.
const policy = "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob:; img-src 'self' data:; " +
	"style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// sdkPath is the SDK by itself, which pages of other origins may import.
const sdkPath = "/parley.js"

// contentTypes are those of the files of dist. The table of the machine isn't asked: it differs from one to the next.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is what is served under one path.
type file struct {
	contentType string
	tag         string // strong ETag (RFC 9110 section 8.8.3)
	body        []byte
}

// Handler serves the page at /, its files beside it, and 404 for everything else. Browsers may keep the files and ask
// each time whether they are current, which the ETag answers.
func Handler() http.Handler {
	files := load(dist)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, files) })
}

// load reads every file of dist, by the path that it is served under. What it can't read was never embedded.
func load(from embed.FS) map[string]file {
	files := map[string]file{}
	entries, _ := fs.ReadDir(from, "dist")
	for _, entry := range entries {
		body, err := fs.ReadFile(from, path.Join("dist", entry.Name()))
		contentType := contentTypes[path.Ext(entry.Name())]
		if err != nil || contentType == "" {
			continue
		}
		sum := sha256.Sum256(body)
		files["/"+entry.Name()] = file{contentType, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, body}
	}
	files["/"] = files["/index.html"]
	return files
}

func serve(w http.ResponseWriter, r *http.Request, files map[string]file) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	found, ok := files[r.URL.Path]
	if !ok {
		http.Error(w, "there is no such page", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "the demo page is read with GET", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == sdkPath {
		header.Set("Access-Control-Allow-Origin", "*")
	}
	header.Set("Content-Security-Policy", policy)
	header.Set("Permissions-Policy", "camera=(self), microphone=(self)")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", found.tag)
	if current(r.Header.Get("If-None-Match"), found.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", found.contentType)
	header.Set("Content-Length", strconv.Itoa(len(found.body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(found.body) // the client that went away needs no answer
	}
}

// current reports whether one of the tags that a client has is ours, compared weakly (RFC 9110 section 13.1.2).
func current(have, tag string) bool {
	for one := range strings.SplitSeq(have, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}
