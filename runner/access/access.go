// Package access says how a server of somebody else's, such as Grafana Cloud or a Mimir, lets us in: by name and password, by a bearer token, by
// headers such as a tenant's. Secrets come from files and from the environment, never from a command line, and are never shown.
package access

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"

	"github.com/photofinish/photofinish/pkg/race"
)

// Server is an address, and what it takes to be let in.
type Server struct {
	// URL is the whole address; "" is no server.
	URL string `yaml:"url"`
	// Username and Password are for basic authentication. Of Grafana Cloud the name is the instance's id, and the password a token.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// Token is sent as a bearer token.
	Token Secret `yaml:"token"`
	// Headers are sent with every request, such as X-Scope-OrgID, which names the tenant to Mimir, Cortex and Loki.
	Headers map[string]string `yaml:"headers"`
	// CA is a file of certificates, in PEM, that the server's is signed by; "" is the system's.
	CA string `yaml:"ca"`
	// Insecure takes any certificate.
	Insecure bool `yaml:"insecure"`
}

// Given says whether anything is said of the server.
func (s Server) Given() bool { return s.URL != "" || s.Guarded() }

// Guarded says whether it takes more than the address to be let in.
func (s Server) Guarded() bool {
	return s.Username != "" || s.Password != Secret{} || s.Token != Secret{} || len(s.Headers) > 0 || s.CA != "" || s.Insecure
}

// HTTP is what Prometheus' own clients are told. key comes before the names of the keys in messages, such as remote_write. A redirect is not followed: whoever it leads to would be given the secrets.
func (s Server) HTTP(key string) (promconfig.HTTPClientConfig, error) {
	http := promconfig.HTTPClientConfig{EnableHTTP2: true, ProxyConfig: promconfig.ProxyConfig{ProxyFromEnvironment: true}}
	if err := s.CheckURL(key); err != nil {
		return http, err
	}
	switch {
	case (s.Username == "") != (s.Password == Secret{}):
		return http, race.Errorf(race.Invalid, "basic authentication needs both", "%s: comes without %s, or the other way round", sub(key, "username"), sub(key, "password"))
	case s.Username != "" && s.Token != Secret{}:
		return http, race.Errorf(race.Invalid, "leave one of them out", "%s: comes beside %s; a server is shown one of them", sub(key, "token"), sub(key, "username"))
	}
	if s.Username != "" {
		password, file, err := s.Password.config(sub(key, "password"))
		if err != nil {
			return http, err
		}
		http.BasicAuth = &promconfig.BasicAuth{Username: s.Username, Password: password, PasswordFile: file}
	}
	if (s.Token != Secret{}) {
		token, file, err := s.Token.config(sub(key, "token"))
		if err != nil {
			return http, err
		}
		http.Authorization = &promconfig.Authorization{Type: "Bearer", Credentials: token, CredentialsFile: file}
	}
	if s.CA != "" {
		if _, err := os.ReadFile(s.CA); err != nil {
			return http, race.Errorf(race.Invalid, "name a file of certificates in PEM", "%s: %w", sub(key, "ca"), err)
		}
	}
	http.TLSConfig = promconfig.TLSConfig{CAFile: s.CA, InsecureSkipVerify: s.Insecure}
	var err error
	http.HTTPHeaders, err = s.headers(sub(key, "headers"))
	return http, err
}

// CheckURL says what is wrong with the address.
func (s Server) CheckURL(key string) error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil: // its text has the address, which may hold a password
		return race.Errorf(race.Invalid, "write it like https://host/path", "%s: is no address", sub(key, "url"))
	case u.User != nil:
		return race.Errorf(race.Invalid, "put them into "+sub(key, "username")+" and "+sub(key, "password"), "%s: holds a name or a password, which anybody could read", sub(key, "url"))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return race.Errorf(race.Invalid, "write it like https://host/path", "%s: %q is no http address", sub(key, "url"), s.URL)
	}
	return nil
}

// headers may hold secrets too, so they are kept as such.
func (s Server) headers(key string) (*promconfig.Headers, error) {
	if len(s.Headers) == 0 {
		return nil, nil
	}
	all := &promconfig.Headers{Headers: map[string]promconfig.Header{}}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(s.Headers[name]) {
			return nil, race.Errorf(race.Invalid, "write it like X-Scope-OrgID: team-a", "%s: %q is no header, or its value is none", key, name)
		}
		all.Headers[name] = promconfig.Header{Secrets: []promconfig.Secret{promconfig.Secret(s.Headers[name])}}
	}
	if err := all.Validate(); err != nil {
		return nil, race.Errorf(race.Invalid, "leave it out; names, passwords and tokens have keys of their own", "%s: %w", key, err)
	}
	return all, nil
}

// sub is the name of a key below another, or of a flag: remote_write.url, --remote-write-url.
func sub(key, name string) string {
	if strings.HasPrefix(key, "--") {
		return key + "-" + name
	}
	return key + "." + name
}

// Transport lets requests to the server in.
func (s Server) Transport(key string) (http.RoundTripper, error) {
	c, err := s.HTTP(key)
	if err != nil {
		return nil, err
	}
	t, err := promconfig.NewRoundTripperFromConfig(c, "photofinish")
	if err != nil {
		return nil, race.Errorf(race.Invalid, "", "%s: %w", key, err)
	}
	return t, nil
}

// ParseHeaders reads headers as the environment has them: NAME:VALUE, separated by commas, as k6's K6_PROMETHEUS_RW_HTTP_HEADERS.
func ParseHeaders(text string) (map[string]string, error) {
	all := map[string]string{}
	for one := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(one, ":")
		if name = strings.TrimSpace(name); !ok || name == "" { // not quoted: it may be a secret
			return nil, race.Errorf(race.Invalid, "write it like X-Scope-OrgID:team-a", "one of the headers is not NAME:VALUE")
		}
		all[name] = strings.TrimSpace(value)
	}
	return all, nil
}
