package promql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"

	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/client_golang/api"
)

// answer is what a successful query says.
type answer struct {
	kind     string
	series   []Series
	warnings []string
	infos    []string
	err      error // the answer is whole, but nothing that we asked for
}

type answerKey struct{}

// reader sends requests, and reads the successful answers to queries itself, straight into series. client_golang's own way over encoding/json and a
// model.Matrix takes ten times as long, which was most of what this process did (docs/performance.md). Everything else (errors, refused methods,
// what is no JSON) stays its business.
type reader struct {
	api.Client // knows the address
	http       http.Client
	limit      int64 // the most bytes of an answer
}

const (
	// maxAnswer bounds an answer that is read into memory: one of 100 apps over an hour, second by second, is 6 MB.
	maxAnswer = 256 << 20
	// maxKept bounds a buffer that is kept for the next answer, so that a single large one does not fill the memory for long.
	maxKept = 8 << 20
)

// bodies are buffers for answers. Prometheus tells no lengths, so that each answer would grow one of its own to twice its size and more.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read says where the answer to the queries of a context goes.
func read(ctx context.Context) (context.Context, *answer) {
	a := &answer{}
	return context.WithValue(ctx, answerKey{}, a), a
}

// nothing is what client_golang is left to read of an answer that was read already.
var nothing = []byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`)

// Do implements api.Client.
func (r reader) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	resp, err := r.http.Do(req.WithContext(ctx)) //nolint:gosec // the address is the one in the settings
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // client_golang explains its own errors
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	buffer, _ := bodies.Get().(*bytes.Buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(http.MaxBytesReader(nil, resp.Body, r.limit)); err != nil {
		return resp, nil, err //nolint:wrapcheck // so here
	}
	a, ok := ctx.Value(answerKey{}).(*answer)
	if !ok || resp.StatusCode != http.StatusOK {
		return resp, buffer.Bytes(), nil
	}
	if !a.parse(buffer.Bytes()) {
		a.err = errors.New("it cannot be read") // unless client_golang can say more
		return resp, buffer.Bytes(), nil
	}
	if buffer.Cap() <= maxKept {
		bodies.Put(buffer) // series hold nothing of it
	}
	return resp, nothing, nil
}

// partial is what a cluster of VictoriaMetrics means that calls an answer partial.
const partial = "the answer is partial, so numbers may be too small: a storage node did not answer; ask again when it is back"

var errHistogram = errors.New("it holds a histogram where a number was expected")

// parse reads a body; whole is false where it is no success.
func (a *answer) parse(body []byte) (whole bool) {
	it := jsoniter.ConfigDefault.BorrowIterator(body)
	defer jsoniter.ConfigDefault.ReturnIterator(it)
	status := ""
	for field := it.ReadObject(); field != ""; field = it.ReadObject() {
		switch field {
		case "status":
			status = it.ReadString()
		case "data":
			a.data(it)
		case "warnings":
			for it.ReadArray() {
				a.warnings = append(a.warnings, it.ReadString())
			}
		case "infos":
			for it.ReadArray() {
				a.infos = append(a.infos, it.ReadString())
			}
		case "isPartial": // VictoriaMetrics
			if it.WhatIsNext() != jsoniter.BoolValue {
				it.Skip()
			} else if it.ReadBool() {
				a.warnings = append(a.warnings, partial)
			}
		default:
			it.Skip()
		}
	}
	whole = it.Error == nil && status == "success"
	if whole && a.err == nil && a.kind != "matrix" && a.kind != "vector" && a.kind != "scalar" {
		a.err = fmt.Errorf("it is a %s, not a vector or matrix", a.kind)
	}
	return whole
}

func (a *answer) data(it *jsoniter.Iterator) {
	for field := it.ReadObject(); field != ""; field = it.ReadObject() {
		switch {
		case field == "resultType":
			a.kind = it.ReadString()
		case field == "result" && a.kind == "scalar":
			a.series = []Series{{Points: []Point{point(it)}}}
		case field == "result" && a.kind != "string":
			for it.ReadArray() {
				a.series = append(a.series, a.one(it))
			}
		default:
			it.Skip()
		}
	}
}

// one reads a series; the one before it tells how many points to expect.
func (a *answer) one(it *jsoniter.Iterator) (s Series) {
	for field := it.ReadObject(); field != ""; field = it.ReadObject() {
		switch field {
		case "metric":
			s.Labels = map[string]string{}
			for name := it.ReadObject(); name != ""; name = it.ReadObject() {
				s.Labels[name] = it.ReadString()
			}
		case "value":
			s.Points = []Point{point(it)}
		case "values":
			s.Points = nil
			if n := len(a.series); n > 0 {
				s.Points = make([]Point, 0, len(a.series[n-1].Points))
			}
			for it.ReadArray() {
				s.Points = append(s.Points, point(it))
			}
		case "histogram", "histograms":
			a.err = errHistogram
			it.Skip()
		default:
			it.Skip()
		}
	}
	return s
}

// point reads [seconds, "value"].
func point(it *jsoniter.Iterator) (p Point) {
	for i := 0; it.ReadArray(); i++ {
		switch i {
		case 0:
			p.At = int64(math.Round(it.ReadFloat64() * 1000))
		case 1:
			v, err := strconv.ParseFloat(string(it.ReadStringAsSlice()), 64) // the conversion stays on the stack
			if err != nil {
				it.ReportError("read a value", err.Error())
			}
			p.Value = v
		default:
			it.Skip()
		}
	}
	return p
}
