// Command memory-leak is a sample app that keeps some memory of every request for ever.
package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/photofinish/photofinish/testapps/internal/app"
)

// leak is how many bytes stay of each request.
const leak = 50_000

func main() {
	var l leaker
	os.Exit(app.App{Name: "memory-leak", Port: 4003, Path: "/memory-leak", Work: l.answer}.Main())
}

type leaker struct {
	mu   sync.Mutex
	kept [][]byte
}

func (l *leaker) answer(w http.ResponseWriter, _ *http.Request) {
	b := make([]byte, leak)
	for i := range b { // memory that nobody has written is not resident
		b[i] = byte(i)
	}
	l.mu.Lock()
	l.kept = append(l.kept, b)
	n := len(l.kept)
	l.mu.Unlock()
	_, _ = fmt.Fprintf(w, "memory-leak keeps %d bytes\n", n*leak)
}
