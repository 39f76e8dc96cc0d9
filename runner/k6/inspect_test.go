package k6_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/stretchr/testify/require"
)

// helpers are beside every script.
var helpers = map[string]string{
	"lib.js":   `export const path = '/x';`,
	"lib.cjs":  `exports.path = '/x';`,
	"data.txt": `data`,
}

func inspect(t *testing.T, name, text string) (k6.Inspection, error) {
	t.Helper()
	all := map[string]string{name: text}
	for n, h := range helpers {
		all[n] = h
	}
	k := newK6(t)
	found, err := k.Inspect(t.Context(), filepath.Join(files(t, all), name), nil)
	left, errDir := os.ReadDir(k.WorkDir)
	require.NoError(t, errDir)
	require.Empty(t, left, "the probe is cleaned up")
	return found, err
}

func TestEveryShapeOfScriptIsUnderstood(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		exports    []string
		hasDefault bool
		readsURL   bool
		vus        string
	}{
		"an ES module with relative imports and open()": {
			"s.js", `import http from 'k6/http'; import { path } from './lib.js'; const d = open('./data.txt'); if (d !== 'data') throw new Error('open');
			export const options = { vus: 3 }; export function setup() {} export function teardown() {} export function handleSummary() { return {}; }
			export default function () { http.get(__ENV.APP_URL + path); }`,
			[]string{"default", "handleSummary", "setup", "teardown"},
			true, false, "3",
		},
		"CommonJS": {
			"s.js", `const http = require('k6/http'); const { path } = require('./lib.cjs'); const d = open('./data.txt');
			exports.options = { vus: 2 }; exports.browse = function () {}; exports.default = function () { http.get(__ENV.APP_URL + path + d); };`,
			[]string{"browse", "default"},
			true, false, "2",
		},
		"TypeScript": {
			"s.ts", `import http from 'k6/http'; interface Data { n: number } export const options: { vus: number } = { vus: 4 };
			export default async function (d: Data): Promise<void> { http.get(__ENV.APP_URL as string); }`,
			[]string{"default"},
			true, false, "4",
		},
		"an async default":                       {"s.js", `const n = await Promise.resolve(1); export default async () => { await n; };`, []string{"default"}, true, false, "null"},
		"no options":                             {"s.js", `export default function () {}`, []string{"default"}, true, false, "null"},
		"no default":                             {"s.js", `export function browse() {}`, []string{"browse"}, false, false, "null"},
		"nothing exported but options":           {"s.js", `export const options = { vus: 5 };`, []string{}, false, false, "5"},
		"APP_URL at the top":                     {"s.js", `const base = __ENV.APP_URL || 'http://x'; export default function () { base; }`, []string{"default"}, true, true, "null"},
		"QUEUE_URL at the top":                   {"s.js", `const queue = __ENV.QUEUE_URL; export default function () { queue; }`, []string{"default"}, true, true, "null"},
		"APP_URL destructured at the top":        {"s.js", `const { APP_URL = 'http://x' } = __ENV; export default function () { APP_URL; }`, []string{"default"}, true, true, "null"},
		"all variables copied at the top":        {"s.js", `const env = { ...__ENV }; export default function () { env; }`, []string{"default"}, true, true, "null"},
		"APP_URL asked for with in":              {"s.js", `const has = 'APP_URL' in __ENV; export default function () { has; }`, []string{"default"}, true, true, "null"},
		"APP_URL read by an imported module":     {"s.js", `import { path } from './url.js'; export default function () { path; }`, []string{"default"}, true, true, "null"},
		"another variable at the top":            {"s.js", `const n = __ENV.OTHER; export default function () { n; }`, []string{"default"}, true, false, "null"},
		"a script that insists on an address":    {"s.js", `if (!__ENV.APP_URL) throw new Error('set APP_URL'); export default function () {}`, []string{"default"}, true, true, "null"},
		"an options object made by another file": {"s.js", `import { path } from './lib.js'; export const options = Object.assign({ vus: 6 }, path ? {} : null); export default function () {}`, []string{"default"}, true, false, "6"},
	} {
		t.Run(name, func(t *testing.T) {
			helpers["url.js"] = `export const path = __ENV.APP_URL;`
			found, err := inspect(t, c.file, c.text)
			require.NoError(t, err)
			require.Equal(t, c.exports, found.Exports)
			require.Equal(t, c.hasDefault, found.HasDefault)
			require.Equal(t, c.readsURL, found.ReadsURLAtInit())
			var options map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(found.Options, &options))
			require.JSONEq(t, c.vus, string(options["vus"]))
			require.NotContains(t, string(options["ext"]), "Probe")
		})
	}
}

func TestLanesKeepTheScriptsOrder(t *testing.T) {
	found, err := inspect(t, "s.js", `export const options = { ext: { other: 1, photofinish: { lanes: { zeta: {}, alpha: {}, mid: {} } } } }; export default function () {}`)
	require.NoError(t, err)
	require.Equal(t, []string{"zeta", "alpha", "mid"}, found.LaneOrder)
	require.Contains(t, string(found.Options), `"other":1`)
}

func TestAScriptThatCannotBeLoadedIsExplained(t *testing.T) {
	for name, c := range map[string]struct {
		text, says string
		code       race.Code
	}{
		"one that throws":             {"const a = 1;\nfunction f() { throw new Error('boom here'); }\nf();\nexport default function () {}", "s.js cannot be loaded: Error: boom here (s.js:2:22)", race.Unavailable},
		"one that is no JavaScript":   {"export default function () {\n let x = ; }", "s.js cannot be loaded: s.js: Line 2:10 Unexpected token ; (and 1 more errors)", race.Unavailable},
		"an import that is not there": {"import './nope.js'; export default function () {}", `cannot be loaded: The moduleSpecifier "./nope.js" couldn't be found on local disk`, race.Unavailable},
		"a file that is not there":    {"open('./nope.txt'); export default function () {}", "nope.txt", race.Unavailable},
		"an extension not built in":   {"import 'k6/x/sql'; export default function () {}", "k6/x/sql", race.Unavailable},
		"options that are a list":     {"export const options = [1]; export default function () {}", "options must be an object; it is of the type array", race.Invalid},
		"options that are a text":     {"export const options = 'x'; export default function () {}", "it is of the type string", race.Invalid},
		"options of a wrong type":     {"export const options = { vus: 'many' }; export default function () {}", `parsing "many"`, race.Invalid},
		"a setup that is no function": {"export const setup = 1; export default function () {}", "exported 'setup' must be a function", race.Unavailable},
		"an executor unknown to k6":   {"export const options = { scenarios: { a: { executor: 'nope' } } }; export default function () {}", "unknown executor type 'nope'", race.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := inspect(t, "s.js", c.text)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.code, race.CodeOf(err))
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), "go.k6.io")
			require.NotContains(t, err.Error(), "probe.js")
		})
	}
}

func TestAScriptThatIsNotThereIsNamed(t *testing.T) {
	k := newK6(t)
	_, err := k.Inspect(t.Context(), "no/such.js", nil)
	require.EqualError(t, err, "no such script: no/such.js")
	require.Equal(t, race.Invalid, race.CodeOf(err))
	_, err = k.Inspect(t.Context(), k.WorkDir, nil)
	require.ErrorContains(t, err, "is a folder")
}
