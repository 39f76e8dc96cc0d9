package scripts_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/scripts"
)

func open(t *testing.T, dir string) *scripts.Library {
	t.Helper()
	l, err := scripts.Open(dir, t.TempDir(), k6.K6{}, true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func TestTheListHasWhatK6CouldRun(t *testing.T) {
	tests := map[string]struct {
		text   string
		listed bool
	}{
		"race.js":               {"import http from 'k6/http';\nexport const options = {};\nexport default function () {}", true},
		"race.ts":               {"import type { Options } from 'k6/options';\nexport const options: Options = {};\nexport function flow() {}", true},
		"minified.js":           {`import e from"k6/http";var t={};function n(){}export{n as default,t as options};`, true},
		"common.cjs":            {`const http = require('k6/http'); exports.options = {}; exports.default = function () {};`, true},
		"webpack.js":            {`(()=>{var e=require("k6/http"),t=exports;for(var r in n)t[r]=n[r]})();`, true},
		"another-load.js":       {"export * from './race.js';\nexport { default } from './race.js';", true},
		"by-a-helper.js":        {"import { hit } from './lib/hit.js';\nexport default () => hit();", true},
		"by-jslib.js":           {"import x from 'https://jslib.k6.io/x/1.0.0/index.js';\nexport default function () {}", true},
		"nested/load.test.js":   {"import { sleep } from 'k6';\nexport default function () { sleep(1); }", true},
		"typescript-pkg.ts":     {"import http from 'k6/http';\nimport type { User } from 'the-api';\nexport default function () {}", true},
		"lib/hit.js":            {"import http from 'k6/http';\nexport function hit() {}", false},
		"lib/users.js":          {"export default [{ name: 'anna' }];", false},
		"vitest.config.ts":      {"import { defineConfig } from 'vitest/config';\nexport default defineConfig({});", false},
		"prettier.config.js":    {"export default {\n  semi: true,\n};", false},
		"e2e/browser.ts":        {"import { chromium } from 'playwright-core';\nexport async function scene() {}", false},
		"e2e/page.spec.ts":      {"import { test } from 'vitest';\ntest('a page', () => {});", false},
		"server.js":             {"const http = require('http');\nmodule.exports = http;", false},
		"empty.js":              {"", false},
		"types.d.ts":            {"export default function race(): void;", false},
		"node_modules/x/x.js":   {"import 'k6';\nexport default function () {}", false},
		".hidden/race.js":       {"import 'k6';\nexport default function () {}", false},
		"notes.txt":             {"import 'k6';\nexport default function () {}", false},
		"too-large-to-be-it.js": {"import 'k6';\nexport default function () {}" + string(make([]byte, 4<<20)), false},
	}
	dir := t.TempDir()
	for name, tt := range tests {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(tt.text), 0o600))
	}
	names, err := open(t, dir).Names()
	require.NoError(t, err)
	for name, tt := range tests {
		if tt.listed {
			require.Contains(t, names, name)
		} else {
			require.NotContains(t, names, name)
		}
	}
}

func TestAScriptThatIsNotListedCanBeNamedAllTheSame(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "odd.js"), []byte("import x from 'some-package';\nexport default x;"), 0o600))
	l := open(t, dir)
	names, err := l.Names()
	require.NoError(t, err)
	require.Empty(t, names)
	s, err := l.Get("odd.js")
	require.NoError(t, err)
	require.Equal(t, "odd.js", s.Name)
}

func TestTheSampleScriptsAreTheListOfTheirFolder(t *testing.T) {
	names, err := open(t, filepath.Join("..", "..", "tests")).Names()
	require.NoError(t, err)
	require.Equal(t, []string{
		"ab-test.js", "calibration/race.js", "capacity-test.js", "cloud-test.js", "kubernetes-pods-test.js", "kubernetes-test.js", "measures-test.js",
		"profile-test.js", "simple-test.js", "sqs-test.js",
	}, names)
}
