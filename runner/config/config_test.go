package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
)

const schemaFile = "../../docs/runner-config.schema.json"

func TestAnEmptyFileIsTheDefault(t *testing.T) {
	c, err := config.Parse(nil)
	require.NoError(t, err)
	require.Equal(t, config.Default(), c)
	require.Equal(t, "127.0.0.1:8737", c.Listen)
	require.False(t, c.Remote())
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	tests := map[string]string{
		"lisen: x":                                       `line 1: unknown key "lisen"`,
		"limits:\n  que: 3":                              `line 2: unknown key "que"`,
		"limits: {lanes: many}":                          `line 1: "many" is not possible here`,
		"limits: {duration: long}":                       `line 1: "long" is no duration`,
		"limits: {body: big}":                            `line 1: "big" is no size`,
		"limits: {lanes: 1}":                             "limits.lanes: is too small",
		"limits: {rate: .nan}":                           "limits.rate: is NaN; it must be a number above 0",
		"limits: {rate: .inf}":                           "limits.rate: is +Inf; it must be a number above 0",
		"limits: {warmup: -1s}":                          "limits.warmup: is below 0",
		"listen: here":                                   `listen: "here" is not host:port`,
		"tls: {cert: x}":                                 "tls: needs both",
		"token: {file: x, env: y}":                       "token: is both",
		"log: {level: loud}":                             `log.level: "loud"`,
		"prometheus: {url: 'localhost:9090'}":            "prometheus.url",
		"pyroscope: {url: 'localhost:4040'}":             "pyroscope.url",
		"remote_write: {url: 'mimir:9009'}":              `remote_write.url: "mimir:9009" is no http address`,
		"remote_write: {username: me}":                   "remote_write.url",
		"remote_write: {url: 'https://me:x@mimir/push'}": "remote_write.url: holds a name or a password",
		"{prometheus: {url: 'http://a:9090'}, remote_write: {url: 'http://b/push'}}": "remote_write: comes beside prometheus.url",
		"engines: []":                   "engines: names none",
		"data: ''":                      "data: names no folder",
		"engines: [docker]":             "docker.images: names none",
		"docker: {images: ['a[']}":      `docker.images: "a[" is no pattern`,
		"lanes: {images: ['']}":         `lanes.images: "" is no pattern`,
		"retention: {older_than: 1h}":   "retention.keep: must be above 0",
		"schedules: [{cron: '@daily'}]": "schedules[0].name: is missing",
		"engines: [kubernetes]":         "kubernetes.images: names none",
		"schedules: [{name: a, cron: '60 * * * *', race: {script: a.js}}]":                                  `schedules[0].cron: "60 * * * *" is no cron expression`,
		"schedules: [{name: a, cron: '0 0 30 2 *', race: {script: a.js}}]":                                  `schedules[0].cron: "0 0 30 2 *" is never due`,
		"schedules: [{name: a, cron: '@daily', time_zone: Mars}]":                                           `schedules[0].time_zone: time zone "Mars"`,
		"schedules: [{name: a, cron: '@daily', race: {name: b}}]":                                           "schedules[0].race: has a name",
		"schedules: [{name: a, cron: '@daily', race: {script: x}}, {name: a, cron: '1 1 * * *', race: {}}]": `schedules[1].name: "a" is used twice`,
		"a: [": "line 1",
	}
	for text, says := range tests {
		_, err := config.Parse([]byte(text))
		require.ErrorContains(t, err, says, text)
		require.Equal(t, race.Invalid, race.CodeOf(err), text)
	}
}

func TestPathsAreTakenFromTheFilesFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "runner.yaml")
	require.NoError(t, os.WriteFile(path, []byte("token: {file: secret}\nscripts: {folder: /srv/k6}\nlimits: {race: 90m, body: 64k}"), 0o600))
	c, err := config.Load(path)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "secret"), c.Token.File)
	require.Equal(t, "/srv/k6", c.Scripts.Folder)
	require.Equal(t, filepath.Join(dir, "photofinish-data"), c.Data)
	require.Equal(t, 90*time.Minute, time.Duration(c.Limits.Race))
	require.Equal(t, config.Bytes(65536), c.Limits.Body)
	_, err = config.Load(filepath.Join(dir, "gone.yaml"))
	require.ErrorContains(t, err, "cannot be read")
}

func TestWithoutATokenNobodyElseIsServed(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:8737", ":8737", "[::]:8737", "192.168.1.1:8737", "runner.example.com:8737"} {
		c := config.Default()
		c.Listen = listen
		_, err := c.ReadToken()
		require.ErrorContains(t, err, "can be reached from other machines", listen)
	}
	for _, listen := range []string{"127.0.0.1:1", "[::1]:1", "localhost:1"} {
		c := config.Default()
		c.Listen = listen
		secret, err := c.ReadToken()
		require.NoError(t, err)
		require.False(t, secret.Known())
		require.False(t, secret.Is(""))
	}
}

func TestTheTokenComesFromAFileOrTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	c := config.Default()
	c.Token.File = file
	_, err := c.ReadToken()
	require.ErrorContains(t, err, "is not there")
	require.NoError(t, os.WriteFile(file, []byte(" \n"), 0o600))
	_, err = c.ReadToken()
	require.ErrorContains(t, err, "is empty")
	require.NoError(t, os.WriteFile(file, []byte("s3cret\n"), 0o600))
	secret, err := c.ReadToken()
	require.NoError(t, err)
	require.True(t, secret.Is("s3cret"))
	require.False(t, secret.Is("s3cret\n"))
	require.False(t, secret.Is(""))
	t.Setenv("RUNNER_TOKEN", "other")
	c.Token = config.Token{Env: "RUNNER_TOKEN"}
	secret, err = c.ReadToken()
	require.NoError(t, err)
	require.True(t, secret.Is("other"))
}

// TestTheSchemaHasTheKeysOfTheConfiguration compares the schema with the fields, and its defaults with the defaults.
func TestTheSchemaHasTheKeysOfTheConfiguration(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var schema map[string]any
	require.NoError(t, json.Unmarshal(text, &schema))
	compare(t, "", schema, reflect.TypeFor[config.Config]())
	defaults := map[string]any{}
	collect(schema, defaults)
	written, err := yaml.Marshal(defaults)
	require.NoError(t, err)
	c, err := config.Parse(written)
	require.NoError(t, err)
	require.Equal(t, config.Default(), c, "the defaults that the schema tells")
}

func compare(t *testing.T, where string, schema map[string]any, fields reflect.Type) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	var described, known []string
	for key := range properties {
		described = append(described, key)
	}
	for i := range fields.NumField() {
		f := fields.Field(i)
		key := f.Tag.Get("yaml")
		known = append(known, key)
		if property, ok := properties[key].(map[string]any); ok && f.Type.Kind() == reflect.Struct {
			compare(t, where+key+".", property, f.Type)
		}
	}
	slices.Sort(described)
	slices.Sort(known)
	require.Equal(t, known, described, "keys of %q", where)
}

func collect(schema, into map[string]any) {
	properties, _ := schema["properties"].(map[string]any)
	for key, p := range properties {
		property := p.(map[string]any)
		if v, told := property["default"]; told {
			into[key] = v
		} else if property["properties"] != nil {
			below := map[string]any{}
			collect(property, below)
			into[key] = below
		}
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestTheConfigurationsOfTheDocumentationWork(t *testing.T) {
	page, err := os.ReadFile("../../docs/runner.md")
	require.NoError(t, err)
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	require.NoError(t, err)
	blocks := yamlBlock.FindAllSubmatch(page, -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		_, err := config.Parse(block[1])
		require.NoError(t, err, "%s", block[1])
		var v any
		require.NoError(t, yaml.Unmarshal(block[1], &v))
		text, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &v))
		require.NoError(t, schema.Validate(v), "%s", block[1])
	}
}
