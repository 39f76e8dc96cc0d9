package cmd

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access"
)

// accessFlags are the flags, and the variables of the environment, that say how a server of somebody else's lets us in.
type accessFlags struct {
	name                    string // of the flags: --<name>-url and so on
	server                  access.Server
	headers                 []string
	passwordFile, tokenFile string
}

// add adds the flags; usage is that of the address.
func (a *accessFlags) add(flags *pflag.FlagSet, name, usage string) {
	a.name = name
	flags.StringVar(&a.server.URL, name+"-url", "", usage)
	flags.StringVar(&a.server.Username, name+"-username", "", "user of --"+name+"-url, for basic authentication (of Grafana Cloud the instance id)")
	flags.StringVar(&a.passwordFile, name+"-password-file", "", "file with the user's password or token; or "+a.variable("PASSWORD"))
	flags.StringVar(&a.tokenFile, name+"-token-file", "", "file with a bearer token; or "+a.variable("TOKEN"))
	flags.StringArrayVar(&a.headers, name+"-header", nil, "a header of every request as NAME=VALUE, such as X-Scope-OrgID=team-a; repeatable; for secrets "+a.variable("HEADERS"))
	flags.StringVar(&a.server.CA, name+"-ca", "", "file of the certificates that the server's is signed by (default the system's)")
	flags.BoolVar(&a.server.Insecure, name+"-insecure", false, "take any certificate of the server")
}

// variable is the name of an environment variable: PHOTOFINISH_REMOTE_WRITE_TOKEN.
func (a *accessFlags) variable(what string) string {
	return "PHOTOFINISH_" + strings.ToUpper(strings.ReplaceAll(a.name, "-", "_")) + "_" + what
}

// resolve puts together what flags and environment say; flags come first. Without an address nothing is wanted, and the rest of the environment
// stays what it is.
func (a *accessFlags) resolve() (access.Server, error) {
	s := a.server
	fromEnv := func(into *string, what string) {
		if *into == "" {
			*into = os.Getenv(a.variable(what))
		}
	}
	fromEnv(&s.URL, "URL")
	s.Password, s.Token = access.Secret{File: a.passwordFile}, access.Secret{File: a.tokenFile}
	if s.URL == "" {
		if s.Given() || len(a.headers) > 0 {
			return s, race.Errorf(race.Invalid, "say where to with --"+a.name+"-url", "flags --%s-… without an address", a.name)
		}
		return s, nil
	}
	fromEnv(&s.Username, "USERNAME")
	if s.Username != "" && s.Password.File == "" {
		s.Password.Env = a.variable("PASSWORD")
	}
	if s.Username == "" && s.Token.File == "" && os.Getenv(a.variable("TOKEN")) != "" {
		s.Token.Env = a.variable("TOKEN")
	}
	var err error
	s.Headers, err = a.allHeaders()
	return s, err
}

// hide takes the secrets out of the environment, so that nothing which is started here sees them.
func (a *accessFlags) hide() error {
	var errs []error
	for _, what := range []string{"PASSWORD", "TOKEN", "HEADERS"} {
		errs = append(errs, os.Unsetenv(a.variable(what)))
	}
	return errors.Join(errs...)
}

func (a *accessFlags) allHeaders() (map[string]string, error) {
	all := map[string]string{}
	if text := os.Getenv(a.variable("HEADERS")); text != "" {
		var err error
		if all, err = access.ParseHeaders(text); err != nil {
			return nil, race.Errorf(race.Invalid, race.HintOf(err), "%s: %w", a.variable("HEADERS"), err)
		}
	}
	for _, one := range a.headers {
		name, value, ok := strings.Cut(one, "=")
		if !ok {
			return nil, race.Errorf(race.Invalid, "write it like X-Scope-OrgID=team-a", "--%s-header %q is not NAME=VALUE", a.name, one)
		}
		all[name] = value
	}
	return all, nil
}
