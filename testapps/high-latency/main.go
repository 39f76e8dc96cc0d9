// Command high-latency is a sample app that waits, as for a slow database, and uses no CPU meanwhile.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/photofinish/photofinish/testapps/internal/app"
)

// wait is how long each request takes.
const wait = 100 * time.Millisecond

func main() {
	os.Exit(app.App{Name: "high-latency", Port: 4001, Path: "/high-latency", Work: answer}.Main())
}

func answer(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(wait):
		_, _ = fmt.Fprintln(w, "high-latency")
	case <-r.Context().Done(): // the client is gone
	}
}
