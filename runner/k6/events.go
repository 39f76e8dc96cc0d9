package k6

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

const (
	// eventBuffer is how many events wait for a slow reader.
	eventBuffer = 64
	// longestEvent bounds one line; a result with the histograms of a hundred lanes is a few MB.
	longestEvent = 64 << 20
)

// read decodes events until k6 has closed its end. Lines that are no events are passed over: the script can write to any descriptor.
func (p *Process) read(from *os.File) {
	defer close(p.events)
	defer func() { _ = from.Close() }()
	decode(from, p.deliver)
}

func decode(from io.Reader, deliver func(stream.Event)) {
	lines := bufio.NewReaderSize(from, 64<<10)
	var line []byte
	for {
		part, err := lines.ReadSlice('\n')
		if len(line)+len(part) <= longestEvent {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		var e stream.Event
		if json.Unmarshal(line, &e) == nil && e.Type != "" {
			deliver(e)
		}
		line = line[:0]
		if err != nil {
			return
		}
	}
}

// deliver never blocks, so that k6 is never held up by its reader: the newest progress is left out when the buffer is full, and the
// oldest event for anything that comes only once.
func (p *Process) deliver(e stream.Event) {
	for {
		select {
		case p.events <- e:
			return
		default:
		}
		if e.Type == stream.Progress {
			return
		}
		select {
		case <-p.events:
		default:
		}
	}
}
