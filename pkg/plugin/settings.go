package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// settings are what the user configured, by the contract. Authentication, TLS and headers are read by the SDK.
type settings struct {
	RunnerURL  string            `json:"runnerUrl"`
	AppLabels  []string          `json:"appLabels"`
	AppMap     map[string]string `json:"appMap"`
	Timeout    seconds           `json:"timeout"`
	HTTPMethod string            `json:"httpMethod"`
	// OAuthPassThru and KeepCookies send the user's own identity along: then nothing may be shared between users.
	OAuthPassThru bool     `json:"oauthPassThru"`
	KeepCookies   []string `json:"keepCookies"`
}

// seconds are a number, or a text that holds one or none, as a form or a provisioning file may leave it.
type seconds float64

// UnmarshalJSON implements json.Unmarshaler.
func (s *seconds) UnmarshalJSON(raw []byte) error {
	text := strings.TrimSpace(strings.Trim(string(raw), `"`))
	if text == "" || text == "null" {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("the time-out %s is no number of seconds", raw)
	}
	*s = seconds(v)
	return nil
}

func readSettings(raw json.RawMessage) (settings, error) {
	var s settings
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s); err != nil {
			return s, race.Errorf(race.Invalid, "open the data source's settings and save them again", "the data source's settings cannot be read: %w", err)
		}
	}
	switch s.HTTPMethod = strings.ToUpper(s.HTTPMethod); s.HTTPMethod {
	case "", http.MethodGet, http.MethodPost:
	default:
		return s, race.Errorf(race.Invalid, "choose GET or POST", "the data source's HTTP method %q is not known", s.HTTPMethod)
	}
	return s, nil
}

func (s settings) timeout() time.Duration {
	if !(s.Timeout > 0) { // not a number, too
		return defaultTimeout
	}
	return time.Duration(min(float64(s.Timeout), maxTimeout.Seconds()) * float64(time.Second))
}

// private says whether Prometheus may answer each user differently.
func (s settings) private() bool { return s.OAuthPassThru || len(s.KeepCookies) > 0 }

func (s settings) join() compare.Join {
	return compare.Join{AppLabels: s.AppLabels, AppMap: s.AppMap}
}

// prometheus connects to Prometheus as the settings say.
func prometheus(ctx context.Context, instance backend.DataSourceInstanceSettings, s settings) (promql.Querier, error) {
	if strings.TrimSpace(instance.URL) == "" {
		return nil, race.Errorf(race.Invalid, "enter the address of Prometheus, e.g. http://prometheus:9090, in the data source's settings",
			"the data source has no address of a Prometheus")
	}
	options, err := instance.HTTPClientOptions(ctx)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "check authentication and TLS in the data source's settings", "the data source's settings cannot be read: %w", err)
	}
	options.ForwardHTTPHeaders = s.private()
	transport, err := httpclient.NewProvider().GetTransport(options)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "check authentication and TLS in the data source's settings", "Prometheus cannot be connected to: %w", err)
	}
	client, err := promql.New(promql.Config{URL: instance.URL, Transport: transport, Timeout: s.timeout(), Method: s.HTTPMethod})
	if err != nil {
		return nil, err // not a nil client, which would be no nil Querier
	}
	return client, nil
}

// runner connects to the companion runner, nil where there is none. What the user set for Prometheus (passwords, headers) does not go there.
func runner(s settings, secrets map[string]string) (*runnerclient.Client, error) {
	if strings.TrimSpace(s.RunnerURL) == "" {
		return nil, nil // no runner is a usual way to use the data source
	}
	timeouts := httpclient.DefaultTimeoutOptions
	timeouts.Timeout = s.timeout()
	client, err := httpclient.New(httpclient.Options{Timeouts: &timeouts})
	if err != nil {
		return nil, fmt.Errorf("connect to the runner: %w", err)
	}
	return runnerclient.New(runnerclient.Config{URL: s.RunnerURL, Token: secrets["runnerToken"], HTTP: client})
}
