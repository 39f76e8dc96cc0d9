package promql

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	jsoniter "github.com/json-iterator/go"
)

// The form in which Prometheus itself writes a matrix. A quotation mark within a label's value is written \", so that neither can be part of one.
var (
	matrixBegins = []byte(`{"status":"success","data":{"resultType":"matrix","result":[`)
	valuesBegin  = []byte(`,"values":[[`)
)

// matrix reads a body of that very form, in half the time that a reader of any JSON takes: points are all but everything in it, and reading them is most
// of what this process does. false is a body of another form, of which nothing was taken.
func (a *answer) matrix(body []byte) bool {
	rest, is := bytes.CutPrefix(body, matrixBegins)
	if !is || len(rest) == 0 || rest[0] != '{' {
		return false
	}
	var series []Series
	for more := true; more; {
		at := bytes.Index(rest, valuesBegin)
		if at < 0 {
			return false
		}
		s := Series{}
		if s.Labels, is = labelsOf(rest[:at+1]); !is {
			return false
		}
		if n := len(series); n > 0 {
			s.Points = make([]Point, 0, len(series[n-1].Points))
		}
		if s.Points, rest, is = points(rest[at+len(valuesBegin)-1:], s.Points); !is || len(rest) < 3 || rest[0] != '}' {
			return false
		}
		series = append(series, s)
		more, rest = rest[1] == ',', rest[1:]
		if more {
			rest = rest[1:]
		}
	}
	if !bytes.HasPrefix(rest, []byte("]}")) || !a.remarks(rest[2:]) {
		return false
	}
	a.kind, a.series = "matrix", series
	return true
}

// labelsOf reads `{"metric":{…},`, and nothing else.
func labelsOf(text []byte) (labels map[string]string, ok bool) {
	text[len(text)-1] = '}' // the comma, for as long as it is read
	defer func() { text[len(text)-1] = ',' }()
	it := jsoniter.ConfigDefault.BorrowIterator(text)
	defer jsoniter.ConfigDefault.ReturnIterator(it)
	if it.ReadObject() != "metric" {
		return nil, false
	}
	labels = map[string]string{}
	for name := it.ReadObject(); name != ""; name = it.ReadObject() {
		labels[name] = it.ReadString()
	}
	if it.ReadObject() != "" || it.Error != nil {
		return nil, false
	}
	it.WhatIsNext()
	return labels, errors.Is(it.Error, io.EOF)
}

// points reads `[1790000000.5,"1"],…]` into list, and gives what follows.
func points(text []byte, list []Point) (all []Point, rest []byte, ok bool) {
	for {
		if len(text) == 0 || text[0] != '[' {
			return nil, nil, false
		}
		at, n := milliseconds(text[1:])
		text = text[1+n:]
		if n == 0 || len(text) < 2 || text[0] != ',' || text[1] != '"' {
			return nil, nil, false
		}
		end := bytes.IndexByte(text[2:], '"')
		if end < 0 || len(text) < end+5 || text[end+3] != ']' {
			return nil, nil, false
		}
		v, err := strconv.ParseFloat(string(text[2:2+end]), 64) // the conversion stays on the stack
		if err != nil {
			return nil, nil, false
		}
		list = append(list, Point{At: at, Value: v})
		next := text[end+4]
		text = text[end+5:]
		switch next {
		case ',':
		case ']':
			return list, text, true
		default:
			return nil, nil, false
		}
	}
}

// milliseconds reads a time in seconds, which Prometheus writes with three decimals or none; n is how long it is, 0 where it is something else.
func milliseconds(text []byte) (ms int64, n int) {
	const longest = 14 // digits
	decimals := -1
	for n < len(text) && n <= longest {
		switch c := text[n]; {
		case c >= '0' && c <= '9':
			ms = ms*10 + int64(c-'0')
			if decimals >= 0 {
				decimals++
			}
		case c == '.' && decimals < 0 && n > 0:
			decimals = 0
		case c == ',' && n > 0 && decimals != 0 && (text[0] != '0' || n == 1 || text[1] == '.'):
			switch decimals {
			case -1:
				return ms * 1000, n
			case 1:
				return ms * 100, n
			case 2:
				return ms * 10, n
			case 3:
				return ms, n
			}
			return 0, 0
		default:
			return 0, 0
		}
		n++
	}
	return 0, 0
}

// remarks reads what follows the data: `}`, or `,"warnings":[…]}`.
func (a *answer) remarks(text []byte) bool {
	if string(bytes.TrimSpace(text)) == "}" {
		return true
	}
	if len(text) == 0 || text[0] != ',' {
		return false
	}
	text[0] = '{'
	defer func() { text[0] = ',' }()
	rest := answer{}
	if status, whole := rest.fields(text); !whole || status != "" || rest.kind != "" || rest.series != nil {
		return false
	}
	a.warnings, a.infos = rest.warnings, rest.infos
	return true
}
