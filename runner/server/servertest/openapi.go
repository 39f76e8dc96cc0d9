// Package servertest holds what the runner's API is asked and answers in tests against its OpenAPI document.
package servertest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/stretchr/testify/require"
)

// Document is an OpenAPI document that requests and answers are held against.
type Document struct {
	Model     *v3.Document
	validator validator.Validator
}

// Load reads the document in a file, which must be valid itself.
func Load(tb testing.TB, path string) *Document {
	tb.Helper()
	text, err := os.ReadFile(path)
	require.NoError(tb, err)
	parsed, err := libopenapi.NewDocument(text)
	require.NoError(tb, err)
	model, err := parsed.BuildV3Model()
	require.NoError(tb, err)
	v, errs := validator.NewValidator(parsed, config.WithFormatAssertions())
	require.Empty(tb, errs)
	ok, problems := v.ValidateDocument()
	require.True(tb, ok, "%s", say(problems))
	return &Document{Model: &model.Model, validator: v}
}

func say(problems []*errors.ValidationError) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Message+": "+p.Reason)
		for _, s := range p.SchemaValidationErrors {
			lines = append(lines, "  "+s.FieldPath+": "+s.Reason)
		}
	}
	return strings.Join(lines, "\n")
}

// Event checks the data of a server-sent event against the schema of a name.
func (d *Document) Event(tb testing.TB, schema, data string) {
	tb.Helper()
	proxy := d.Model.Components.Schemas.GetOrZero(schema)
	require.NotNil(tb, proxy, "the document has no schema %s", schema)
	ok, problems := schema_validation.NewSchemaValidator().ValidateSchemaString(proxy.Schema(), data)
	require.True(tb, ok, "%s: %s\n%s", schema, data, say(problems))
}

// Transport makes requests and holds them and their answers against the document. A request that was refused may be as it likes.
func (d *Document) Transport(tb testing.TB) http.RoundTripper {
	tb.Helper()
	return transport{tb: tb, document: d}
}

type transport struct {
	tb       testing.TB
	document *Document
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	asked := r.Clone(r.Context())
	if body != nil {
		asked.Body = io.NopCloser(bytes.NewReader(body))
	}
	if res.StatusCode < http.StatusBadRequest {
		if ok, problems := t.document.validator.ValidateHttpRequestSync(asked); !ok {
			t.tb.Errorf("the document does not know the request %s %s:\n%s", r.Method, r.URL, say(problems))
		}
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return res, nil // it is read event by event
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(answer))
	if ok, problems := t.document.validator.ValidateHttpResponse(asked, res); !ok {
		t.tb.Errorf("the document does not know the answer %d of %s %s:\n%s\n%.2000s", res.StatusCode, r.Method, r.URL, say(problems), answer)
	}
	res.Body = io.NopCloser(bytes.NewReader(answer))
	return res, nil
}
