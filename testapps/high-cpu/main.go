// Command high-cpu is a sample app that does the same amount of real work for every request.
package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"

	"github.com/photofinish/photofinish/testapps/internal/app"
)

// rounds of SHA-256 are about 4 ms of work on a slow core.
const rounds = 40_000

func main() {
	os.Exit(app.App{Name: "high-cpu", Port: 4002, Path: "/high-cpu", Work: answer}.Main())
}

// answer sends what it computed, so that nothing can leave the computation out.
func answer(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintf(w, "high-cpu %x\n", chain(rounds))
}

// chain hashes a hash n times: each round needs the one before.
func chain(n int) [sha256.Size]byte {
	sum := sha256.Sum256([]byte("photofinish"))
	for range n {
		sum = sha256.Sum256(sum[:])
	}
	return sum
}
