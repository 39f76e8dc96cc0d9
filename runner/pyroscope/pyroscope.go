// Package pyroscope sends profiles to a Pyroscope server, and knows where it shows them.
package pyroscope

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// timeout bounds the sending of one profile.
const timeout = 10 * time.Second

// Server is the address of a Pyroscope. A name and password in it are sent along, and never shown.
type Server string

// Check says what is wrong with the address.
func (s Server) Check() error {
	_, err := s.parse()
	return err
}

func (s Server) parse() (*url.URL, error) {
	u, err := url.Parse(string(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, race.Errorf(race.Invalid, "write it like http://localhost:4040", "%q is no address of a Pyroscope", string(s))
	}
	return u, nil
}

// Labels tell profiles of races apart at the server.
func Labels(raceID, app string, heat int) map[string]string {
	return map[string]string{"race": raceID, "app": app, "heat": strconv.Itoa(heat)}
}

// Profile is one profile to be sent.
type Profile struct {
	App      string
	Labels   map[string]string
	From, To time.Time
	Data     []byte // in the format of pprof
}

// Push sends a profile by the server's ingestion API (POST /ingest), as Pyroscope's own SDK for Go does.
func (s Server) Push(ctx context.Context, p Profile) error {
	u, err := s.parse()
	if err != nil {
		return err
	}
	body, kind, err := form(p.Data)
	if err != nil {
		return err
	}
	u = u.JoinPath("ingest")
	u.RawQuery = url.Values{
		"name": {p.App + selector(p.Labels, false)}, "spyName": {"gospy"}, "sampleRate": {"100"}, // no format: "pprof" would be a body that is no form
		"from": {strconv.FormatInt(p.From.Unix(), 10)}, "until": {strconv.FormatInt(max(p.To.Unix(), p.From.Unix()+1), 10)},
	}.Encode()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it did not answer within %v", timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), body)
	if err != nil {
		return fmt.Errorf("make the request to Pyroscope: %w", err)
	}
	req.Header.Set("Content-Type", kind)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return race.Errorf(race.Unavailable, "", "the Pyroscope at %s cannot be reached: %w", s.shown(), err)
	}
	defer res.Body.Close() //nolint:errcheck // only its beginning is of interest
	if res.StatusCode/100 != 2 {
		const most = 200 // bytes
		said, _ := io.ReadAll(io.LimitReader(res.Body, most))
		return race.Errorf(race.Unavailable, "", "the Pyroscope at %s answered %s: %s", s.shown(), res.Status, strings.Join(strings.Fields(string(said)), " "))
	}
	return nil
}

// form is what /ingest takes. The heaps' allocations are those of the profile's own time, where the server would else wait for a next one and show the difference.
func form(data []byte) (body *bytes.Buffer, kind string, err error) {
	types, err := json.Marshal(map[string]map[string]any{
		"samples":       {"units": "samples", "display-name": "cpu", "sampled": true},
		"alloc_objects": {"units": "objects"}, "alloc_space": {"units": "bytes"},
		"inuse_objects": {"units": "objects", "aggregation": "average"}, "inuse_space": {"units": "bytes", "aggregation": "average"},
	})
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, file := range []struct {
		field, name string
		data        []byte
	}{{"profile", "profile.pprof", data}, {"sample_type_config", "sample_type_config.json", types}} {
		part, partErr := w.CreateFormFile(file.field, file.name)
		if partErr == nil {
			_, partErr = part.Write(file.data)
		}
		err = errors.Join(err, partErr)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, "", fmt.Errorf("pack the profile for Pyroscope: %w", err)
	}
	return body, w.FormDataContentType(), nil
}

// selector writes labels as Pyroscope does: {a=b,c=d} after a name, {a="b",c="d"} in queries.
func selector(labels map[string]string, quoted bool) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		if quoted {
			value = strconv.Quote(value)
		}
		parts = append(parts, name+"="+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Link opens an app's CPU profiles of a race at the server.
func (s Server) Link(raceID, app string, from, to time.Time) string {
	u, err := url.Parse(s.shown())
	if err != nil {
		return ""
	}
	u.RawQuery = url.Values{
		"query": {"process_cpu:cpu:nanoseconds:cpu:nanoseconds" + selector(map[string]string{"service_name": app, "race": raceID}, true)},
		"from":  {strconv.FormatInt(from.Unix(), 10)}, "until": {strconv.FormatInt(to.Unix()+1, 10)},
	}.Encode()
	return u.String()
}

// Environment lets Pyroscope's own SDKs in an app send there, under the labels of the race.
func (s Server) Environment(app string, labels map[string]string) map[string]string {
	return map[string]string{
		"PYROSCOPE_SERVER_ADDRESS": string(s), "PYROSCOPE_APPLICATION_NAME": app, "PYROSCOPE_LABELS": strings.Trim(selector(labels, false), "{}"),
	}
}

// shown is the address without what nobody else may see.
func (s Server) shown() string {
	u, err := url.Parse(string(s))
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}
