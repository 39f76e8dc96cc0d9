package promserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/golang/snappy"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/storage/remote"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access"
)

// Receiver is a receiver of remote write to which everything that the server holds is passed on. Prometheus' own queue does it, from the
// write-ahead log: what cannot be sent waits on the disk, and a fixed number of samples in memory.
type Receiver struct {
	// URL is the whole address, such as https://mimir/api/v1/push.
	URL string
	// HTTP is what it takes to be let in.
	HTTP promconfig.HTTPClientConfig
	// Warn is told, once each, of samples that were refused and of a receiver that does not answer; nil for nobody.
	Warn func(string)
}

// NewReceiver makes a receiver of what a configuration or flags say; key comes before the names of the keys in messages. The secrets are taken out
// of the environment, so that nothing which is started here sees them.
func NewReceiver(s access.Server, key string, warn func(string)) (*Receiver, error) {
	c, err := s.HTTP(key)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.Password.Hide(), s.Token.Hide()); err != nil {
		return nil, fmt.Errorf("%s: hide the secrets: %w", key, err)
	}
	return &Receiver{URL: s.URL, HTTP: c, Warn: warn}, nil
}

const (
	// sendTimeout bounds one request.
	sendTimeout = 10 * time.Second
	// sendWithin is how long samples wait for company. Three writers push each second, so that a request carries those of one of them.
	sendWithin = 200 * time.Millisecond
	// maxBackoff is the longest pause before another try, where the receiver names none.
	maxBackoff = 5 * time.Second
	// sendShards times sendCapacity is how many samples wait in memory: a race makes some hundreds a second.
	sendShards   = 4
	sendCapacity = 5000
	// flushDeadline is how long Close waits for the receiver.
	flushDeadline = 3 * time.Second
	// checkTries is how often Check asks a receiver that has a bad moment.
	checkTries = 3
	checkPause = time.Second
	// deliveryPoll is how often Deliver looks.
	deliveryPoll = 50 * time.Millisecond
	// mostWords bounds what is quoted of a receiver, in bytes.
	mostWords = 300
)

// mark is a series that is written to find out how far the queue has come; it is dropped there.
const mark = "photofinish_remote_write_mark"

func (r Receiver) config() (*config.RemoteWriteConfig, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "write it like https://host/api/v1/push", "the address to write to is none")
	}
	c := config.DefaultRemoteWriteConfig
	c.Name, c.URL, c.HTTPClientConfig = "photofinish", &promconfig.URL{URL: u}, r.HTTP
	c.RemoteTimeout, c.SendNativeHistograms = model.Duration(sendTimeout), true
	c.MetadataConfig.Send = false // k6 has none
	c.QueueConfig.RetryOnRateLimit = true
	c.QueueConfig.BatchSendDeadline, c.QueueConfig.MaxBackoff = model.Duration(sendWithin), model.Duration(maxBackoff)
	c.QueueConfig.MaxShards, c.QueueConfig.Capacity = sendShards, sendCapacity
	expr, err := relabel.NewRegexp(mark)
	if err != nil {
		return nil, fmt.Errorf("the mark's name: %w", err)
	}
	drop := relabel.DefaultRelabelConfig
	drop.SourceLabels, drop.Regex, drop.Action, drop.NameValidationScheme = model.LabelNames{model.MetricNameLabel}, expr, relabel.Drop, model.UTF8Validation
	c.WriteRelabelConfigs = []*relabel.Config{&drop}
	return &c, nil
}

// Check makes sure, before a race, that the receiver can be reached, lets us in and takes remote writes. It writes nothing.
func (r Receiver) Check(ctx context.Context) error {
	c, err := r.config()
	if err != nil {
		return err
	}
	client, err := remote.NewWriteClient(c.Name, &remote.ClientConfig{
		URL: c.URL, Timeout: c.RemoteTimeout, HTTPClientConfig: c.HTTPClientConfig, RetryOnRateLimit: true, WriteProtoMsg: c.ProtobufMessage,
	})
	if err != nil {
		return race.Errorf(race.Invalid, "", "%s cannot be written to: %w", r, err)
	}
	for try := 1; ; try++ {
		_, err = client.Store(ctx, snappy.Encode(nil, nil), 0) // no series at all
		if err == nil || try == checkTries || !waits(err) {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(checkPause):
		}
	}
	switch said := words(err); {
	case err == nil, strings.Contains(said, "HTTP status 400"): // it was let in, and only an empty request is not to its taste
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case strings.Contains(said, "HTTP status 401"), strings.Contains(said, "HTTP status 403"):
		return race.Errorf(race.Unavailable, "correct the name and password, the token or the tenant's header; a token needs the right to write metrics", "%s does not let us in: %s", r, said)
	case strings.Contains(said, "HTTP status 404"), strings.Contains(said, "HTTP status 405"), strings.Contains(said, "HTTP status 3"):
		return race.Errorf(race.Unavailable, "give the whole address of its receiver: …/api/v1/write of Prometheus and VictoriaMetrics, …/api/v1/push of Mimir, …/api/prom/push of Grafana Cloud, …/api/v1/receive of Thanos",
			"%s takes no remote writes: %s", r, said)
	default:
		return race.Errorf(race.Unavailable, "correct the address, or leave it out: everything is in the embedded Prometheus too", "%s cannot be written to: %w", r, away(said))
	}
}

// away is a receiver that cannot be reached, or has a bad moment; its text is the cause.
type away string

func (a away) Error() string { return string(a) }

// Away says whether an error of Check may pass by itself.
func Away(err error) bool {
	var a away
	return errors.As(err, &a)
}

// String is the address as it may be shown: without what may be secret in it.
func (r Receiver) String() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return "that address"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// waits says whether a failure may pass by itself.
func waits(err error) bool {
	var again remote.RecoverableError
	return errors.As(err, &again)
}

// words are a receiver's own, or the network's, on one line and without the address, which may hold secrets.
func words(err error) string {
	if err == nil {
		return ""
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	text := strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "server returned ")), " ")
	if len(text) > mostWords {
		text = strings.ToValidUTF8(text[:mostWords], "") + " …"
	}
	return text
}
