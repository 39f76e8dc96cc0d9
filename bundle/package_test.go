package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	sdk "github.com/grafana/grafana-plugin-sdk-go/build"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// built is a plugin as a build leaves it, with modes that no umask should decide over.
func built() fstest.MapFS {
	return fstest.MapFS{
		"plugin.json":                           {Data: []byte(`{"id": "some-app", "info": {"version": "1.2.3"}}`), Mode: 0o600},
		"module.js":                             {Data: []byte("define()"), Mode: 0o777},
		"img/logo.svg":                          {Data: []byte("<svg/>"), Mode: 0o644},
		"datasource/gpx_some_linux_amd64":       {Data: []byte("ELF"), Mode: 0o644},
		"datasource/gpx_some_windows_amd64.exe": {Data: []byte("MZ"), Mode: 0o600},
	}
}

func TestAZipHasOneFolderWithBinariesThatRunAndFilesThatAllMayRead(t *testing.T) {
	modes := map[string]fs.FileMode{}
	for _, file := range zipped(t, built()).File {
		modes[file.Name] = file.Mode()
		require.True(t, noon.Equal(file.Modified), "%s: %s", file.Name, file.Modified)
	}
	require.Equal(t, map[string]fs.FileMode{
		"some-app/plugin.json":                           0o644,
		"some-app/module.js":                             0o644,
		"some-app/img/logo.svg":                          0o644,
		"some-app/datasource/gpx_some_linux_amd64":       0o755,
		"some-app/datasource/gpx_some_windows_amd64.exe": 0o755,
	}, modes)
}

func TestAZipHoldsWhatWasBuilt(t *testing.T) {
	text, err := fs.ReadFile(zipped(t, built()), "some-app/module.js")
	require.NoError(t, err)
	require.Equal(t, "define()", string(text))
}

func TestALinkIsNoPartOfAPlugin(t *testing.T) {
	dist := built()
	dist["secret"] = &fstest.MapFile{Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink | 0o777}
	require.ErrorContains(t, Zip(&bytes.Buffer{}, dist, "some-app", noon), "secret is no regular file")
}

func TestAPackageIsBuiltFromTheCommitAloneAndTheSameTwice(t *testing.T) {
	commitTo(t, t.TempDir(), "plugin.json", `{"id": "some-app", "info": {"version": "1.2.3"}}`)
	require.NoError(t, os.WriteFile("untracked.js", []byte("leaked"), 0o600))
	require.NoError(t, os.WriteFile("plugin.json", []byte("changed, not committed"), 0o600))

	var archives [][]byte
	for range 2 {
		zips, err := Package(t.Context(), "HEAD", "out", func(_ context.Context, source string, env []string) error {
			require.Equal(t, []string{"SOURCE_DATE_EPOCH=1795608000"}, env)
			return asItIs(source)
		})
		require.NoError(t, err)
		require.Equal(t, Zips{Plugin: "out/some-app-1.2.3.zip", Source: "out/some-app-1.2.3-source.zip"}, zips)
		text, err := os.ReadFile(zips.Plugin)
		require.NoError(t, err)
		archives = append(archives, text)
	}
	require.Equal(t, archives[0], archives[1])
	require.Equal(t, []string{"some-app/plugin.json"}, names(t, "out/some-app-1.2.3.zip"))
	require.Equal(t, []string{"plugin.json"}, names(t, "out/some-app-1.2.3-source.zip"))
}

func TestAPackageSaysWhatIsWrongWithTheBuild(t *testing.T) {
	tests := map[string]struct{ plugin, want string }{
		"a version that was never filled in": {`{"id": "some-app", "info": {"version": "%VERSION%"}}`, `the id "some-app" and the version "%VERSION%"; both must be set`},
		"no JSON":                            {`{`, "the built plugin.json cannot be read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			commitTo(t, t.TempDir(), "plugin.json", test.plugin)
			_, err := Package(t.Context(), "HEAD", "out", func(_ context.Context, source string, _ []string) error {
				return asItIs(source)
			})
			require.ErrorContains(t, err, test.want)
		})
	}
	t.Run("nothing built", func(t *testing.T) {
		commitTo(t, t.TempDir(), "plugin.json", "{}")
		_, err := Package(t.Context(), "HEAD", "out", func(context.Context, string, []string) error { return nil })
		require.ErrorContains(t, err, "the build left no plugin.json")
	})
	t.Run("an unknown commit", func(t *testing.T) {
		commitTo(t, t.TempDir(), "plugin.json", "{}")
		_, err := Package(t.Context(), "nowhere", "out", nil)
		require.ErrorContains(t, err, "nowhere")
	})
}

func TestTheStampOfABuildIsTheTimeItWasTold(t *testing.T) {
	t.Chdir("..")
	t.Setenv("GOFLAGS", "-mod=readonly")
	t.Setenv(epoch, "1795608000")
	config, err := Stamp(sdk.Config{Env: map[string]string{}})
	require.NoError(t, err)
	require.Equal(t, "-mod=readonly -trimpath", config.Env["GOFLAGS"])
	require.Regexp(t, `^\{"time":1795608000000,"pluginID":"photofinish-race-app","version":"\d+\.\d+\.\d+"\}$`, config.CustomVars[infoVariable])

	t.Setenv(epoch, "noon")
	_, err = Stamp(sdk.Config{})
	require.ErrorContains(t, err, `SOURCE_DATE_EPOCH is "noon"`)

	t.Setenv(epoch, "")
	config, err = Stamp(sdk.Config{})
	require.NoError(t, err)
	require.Empty(t, config.CustomVars)
}

// commitTo makes a repository of one committed file and goes there.
func commitTo(t *testing.T, folder, name, text string) {
	t.Helper()
	t.Chdir(folder)
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	at := noon.Format(time.RFC3339)
	for _, args := range [][]string{
		{"init", "-q"},
		{"add", name},
		{"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "first"},
	} {
		command := exec.CommandContext(t.Context(), "git", args...)
		command.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+at, "GIT_AUTHOR_DATE="+at, "GIT_CONFIG_GLOBAL="+os.DevNull)
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// asItIs is a build: the whole of the source becomes dist.
func asItIs(source string) error {
	return errors.Join(os.Rename(source, source+".was"), os.Mkdir(source, 0o700), os.Rename(source+".was", filepath.Join(source, "dist")))
}

func zipped(t *testing.T, dist fs.FS) *zip.Reader {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Zip(&out, dist, "some-app", noon))
	reader, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	return reader
}

func names(t *testing.T, archive string) []string {
	t.Helper()
	reader, err := zip.OpenReader(archive)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	var found []string
	for _, file := range reader.File {
		found = append(found, file.Name)
	}
	return found
}
