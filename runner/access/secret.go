package access

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/photofinish/photofinish/pkg/race"
)

// Secret is where a secret is: in one of a file and an environment variable.
type Secret struct {
	File string `yaml:"file"`
	Env  string `yaml:"env"`
}

// Check says whether it is in one place.
func (s Secret) Check(key string) error {
	if s.File != "" && s.Env != "" {
		return race.Errorf(race.Invalid, "", "%s: is both in a file and in the environment; choose one", key)
	}
	return nil
}

// Read reads the secret; key is its name in messages. "" is none, of which no place is known.
func (s Secret) Read(key string) (string, error) {
	if err := s.Check(key); err != nil {
		return "", err
	}
	var text, where string
	switch {
	case s.File != "":
		where = "the file " + s.File
		data, err := os.ReadFile(s.File)
		if errors.Is(err, fs.ErrNotExist) {
			return "", race.Errorf(race.Invalid, "write it into that file", "%s: %s is not there", sub(key, "file"), s.File)
		}
		if err != nil {
			return "", race.Errorf(race.Invalid, "", "%s: cannot be read: %w", sub(key, "file"), err)
		}
		text = string(data)
	case s.Env != "":
		where = "the environment variable " + s.Env
		text = os.Getenv(s.Env)
	default:
		return "", nil
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", race.Errorf(race.Invalid, "write the secret into it", "%s: %s is empty", key, where)
	}
	return text, nil
}

// config is the secret as Prometheus' clients take it. A file is read anew with every request, so that what is in it may change.
func (s Secret) config(key string) (text promconfig.Secret, file string, err error) {
	read, err := s.Read(key)
	if err != nil || s.File != "" {
		return "", s.File, err
	}
	return promconfig.Secret(read), "", nil
}

// Hide takes the secret out of the environment, so that nothing which is started here sees it. It was read before.
func (s Secret) Hide() error {
	if s.Env == "" {
		return nil
	}
	return os.Unsetenv(s.Env) //nolint:wrapcheck // it names the variable
}
