package k6

import (
	"strings"
	"testing"

	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

func TestJunkBetweenEventsIsPassedOver(t *testing.T) {
	var got []stream.EventType
	decode(strings.NewReader("junk\n{\"type\":\"started\"}\n\n{}\n[1]\n"+strings.Repeat("x", 200_000)+"\n{\"type\":\"result\"}"),
		func(e stream.Event) { got = append(got, e.Type) })
	require.Equal(t, []stream.EventType{stream.Started, stream.Result}, got)
}

func TestASlowReaderMissesProgressButNoResult(t *testing.T) {
	p := &Process{events: make(chan stream.Event, 3)}
	p.deliver(stream.Event{Type: stream.Started})
	for range 10 {
		p.deliver(stream.Event{Type: stream.Progress})
	}
	p.deliver(stream.Event{Type: stream.Result})
	close(p.events)
	var got []stream.EventType
	for e := range p.Events() {
		got = append(got, e.Type)
	}
	require.Equal(t, stream.Result, got[len(got)-1])
	require.Len(t, got, 3)
}

func TestWhatK6SaysBecomesOneSentence(t *testing.T) {
	for said, want := range map[string]string{
		"Error: boom\n\tat f (file:///u/s.js:2:22(3))\n\tat file:///u/s.js:3:2(14)\n":                                           "Error: boom (s.js:2:22)",
		"Error: boom\n\tat file:///u/wrapper.js:9:1(3)\n":                                                                       "Error: boom",
		"GoError: x\n\tat go.k6.io/k6/js.f (native)\n\tat file:///u/s.js:1:1(3)\n":                                              "GoError: x (s.js:1:1)",
		"could not initialize '/t/p.js': could not load JS test 'file:///t/p.js': file:///u/s.js: Line 2:38 Unexpected token ;": "s.js: Line 2:38 Unexpected token ;",
		"plain": "plain",
	} {
		require.Equal(t, want, sentence(said))
	}
}

func TestTheLogKeepsABoundedTail(t *testing.T) {
	l := NewLog()
	out, errs := &Lines{log: l}, &Lines{log: l}
	write := func(w *Lines, text string) {
		n, err := w.Write([]byte(text))
		require.NoError(t, err)
		require.Equal(t, len(text), n)
	}
	for range 3 * logLines {
		write(errs, "{\"level\":\"info\",\"msg\":\"hello\",\"source\":\"console\"}\n")
	}
	write(out, "half a line")
	write(errs, "{\"level\":\"error\",\"msg\":\"bad\",\"error\":\"worse\"}\n"+strings.Repeat("y", 3*logLine)+"\n")
	out.Flush()
	tail := l.Tail()
	require.Len(t, tail, logLines)
	require.Equal(t, "level=info hello", tail[0])
	require.Equal(t, "level=error bad: worse", tail[logLines-3])
	require.Len(t, tail[logLines-2], logLine+len("…"))
	require.Equal(t, "half a line", tail[logLines-1])
	require.Equal(t, "bad: worse", l.lastError())
	write(out, strings.Repeat("z", 2*longestLine))
	require.Empty(t, out.rest, "a line without an end does not grow without bounds")
}
