package main

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// ollama NAME FILE puts a file into the script's Ollama store, as Ollama lays it out. NAME has all four parts:
// registry.ollama.ai/library/llama3/instruct.
func cmdOllama(ts *testscript.TestScript, neg bool, args []string) {
	content := ts.ReadFile(args[1])
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
	for path, text := range map[string]string{
		filepath.Join("blobs", "sha256-"+digest): content,
		filepath.Join("manifests", args[0]): fmt.Sprintf(`{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:%s","size":%d}]}`,
			digest, len(content)),
	} {
		path = filepath.Join(ts.Getenv("OLLAMA_MODELS"), path)
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(os.WriteFile(path, []byte(text), 0o644))
	}
}

// serve serves the script's folder over HTTPS from this machine until the script ends. $URL is where, and SSL_CERT_FILE has the
// program trust it. Each file is cut after 200,000 bytes the first time it is asked for from its beginning.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	files := http.FileServer(http.Dir(ts.MkAbs(".")))
	seen := map[string]bool{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" && !seen[r.URL.Path] {
			seen[r.URL.Path] = true
			w = &cutWriter{w, 200_000}
		}
		files.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	certificate := ts.MkAbs("certificate.pem")
	ts.Check(os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644))
	ts.Setenv("SSL_CERT_FILE", certificate)
	ts.Setenv("URL", server.URL)
}

// cutWriter cuts the connection after so many bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	n, _ := c.ResponseWriter.Write(b[:min(c.left, len(b))])
	if c.left -= n; c.left <= 0 {
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// sha256 VARIABLE FILE puts a file's SHA-256 into the environment.
func cmdSHA256(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0], fmt.Sprintf("%x", sha256.Sum256([]byte(ts.ReadFile(args[1])))))
}
