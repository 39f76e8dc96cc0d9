// Command control is the sample app that the others are compared with: it answers at once.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/photofinish/photofinish/testapps/internal/app"
)

func main() {
	os.Exit(app.App{Name: "control", Port: 4000, Path: "/control", Work: answer}.Main())
}

func answer(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintln(w, "control")
}
