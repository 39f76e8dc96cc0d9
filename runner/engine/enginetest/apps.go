package enginetest

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Kind is an app of the suite.
type Kind string

// The apps. Each but Crasher listens on PORT and answers 200 to everything.
const (
	Control Kind = "control"
	Burner  Kind = "burner"  // uses as much of one CPU as it gets
	Eater   Kind = "eater"   // takes eaten bytes of memory as soon as it has been asked once
	Crasher Kind = "crasher" // prints LastWords and ends with code CrashCode
	Deaf    Kind = "deaf"    // takes no notice of SIGTERM
	Forker  Kind = "forker"  // has a child in a session of its own that takes no notice of SIGTERM
	Writer  Kind = "writer"  // ends with code CrashCode if it cannot write a file in the root folder; not of the suite, since only containers have one
	Chatty  Kind = "chatty"  // prints chattyLines numbered lines, the last one very long
)

// What a Crasher says and how it ends.
const (
	LastWords = "the cup of tea is empty"
	CrashCode = 7
)

const (
	eaten       = 128 << 20
	chattyLines = 1000
	longLine    = 100_000
)

// AppVariable names the kind to a program that calls Main.
const AppVariable = "PHOTOFINISH_TEST_APP"

// Main makes the program the app that AppVariable names; it returns at once if there is none. Call it first in TestMain, and the test
// binary is every app of the suite.
func Main() {
	kind := Kind(os.Getenv(AppVariable))
	if kind == "" {
		return
	}
	os.Exit(run(kind))
}

func run(kind Kind) int {
	asked := make(chan struct{}, 1)
	switch kind {
	case Crasher:
		_, _ = fmt.Fprintln(os.Stdout, "starting")
		fmt.Fprintln(os.Stderr, LastWords)
		return CrashCode
	case Burner:
		go burn()
	case Eater:
		go eat(asked)
	case Writer:
		if err := os.WriteFile("/state", nil, 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return CrashCode
		}
	case Deaf:
		signal.Ignore(syscall.SIGTERM)
	case Forker:
		if err := fork(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	case Chatty:
		for i := range chattyLines {
			_, _ = fmt.Fprintln(os.Stdout, "line", i)
		}
		_, _ = fmt.Fprintln(os.Stdout, "line", chattyLines, strings.Repeat("x", longLine))
	case Control:
	}
	return serve(asked)
}

func serve(asked chan<- struct{}) int {
	listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT"))) //nolint:noctx // a program of its own
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server := http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		_, _ = fmt.Fprintln(w, "ok")
	})}
	fmt.Fprintln(os.Stderr, server.Serve(listener))
	return 1
}

func burn() {
	for sum := sha256.Sum256(nil); ; {
		sum = sha256.Sum256(sum[:])
	}
}

// eat waits until the app was asked, so that it is seen to have been healthy.
func eat(asked <-chan struct{}) {
	<-asked
	time.Sleep(50 * time.Millisecond)
	memory := make([]byte, eaten)
	for i := range memory {
		memory[i] = 1
	}
	time.Sleep(time.Hour)
	_, _ = fmt.Fprintln(os.Stdout, memory[len(memory)-1])
}

// fork starts this program again, in another session and process group.
func fork() error {
	child := exec.Command(os.Args[0]) //nolint:gosec,noctx // this program
	child.Env = append(os.Environ(), AppVariable+"="+string(Deaf), "PORT=0")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return child.Start()
}
