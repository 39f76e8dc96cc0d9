package docker_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/images"
)

// shop is a registry with one image, which this machine does not have. It hands out its layers slowly.
type shop struct{ image string }

// user and password open a locked shop.
const user, password = "anna", "s3cret"

func (f fixture) shop(t *testing.T, locked bool) shop {
	t.Helper()
	shelves := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, word, _ := r.BasicAuth(); locked && (name != user || word != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="shop"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`, http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			w = &trickle{w, r.Context()}
		}
		shelves.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s := shop{strings.TrimPrefix(server.URL, "http://") + "/shop/apps:1"}

	program, err := os.ReadFile(f.binary)
	require.NoError(t, err)
	ballast := make([]byte, 4<<20) // that cannot be compressed, so that there is something to wait for
	_, _ = rand.Read(ballast)
	heavy := filepath.Join(t.TempDir(), "app")
	require.NoError(t, os.WriteFile(heavy, bytes.Join([][]byte{program, ballast}, nil), 0o600))
	dockertest.Image(t, f.client, s.image, heavy, "USER 65534")
	login := base64.URLEncoding.EncodeToString(fmt.Appendf(nil, `{"username":%q,"password":%q}`, user, password))
	answer, err := f.client.ImagePush(t.Context(), s.image, image.PushOptions{RegistryAuth: login})
	require.NoError(t, err)
	dockertest.Succeeded(t, answer)
	_, err = f.client.ImageRemove(t.Context(), s.image, image.RemoveOptions{Force: true, PruneChildren: true})
	require.NoError(t, err)
	return s
}

// trickle writes 2 MB a second, until its reader is gone.
type trickle struct {
	http.ResponseWriter
	ctx context.Context
}

func (w *trickle) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = w.ResponseWriter.Write(p[n:min(n+64<<10, len(p))])
		n += m
		select {
		case <-time.After(32 * time.Millisecond):
		case <-w.ctx.Done():
			err = w.ctx.Err()
		}
	}
	return n, err
}

func (s shop) lane(t *testing.T) race.LaneSpec {
	t.Helper()
	l := lane(enginetest.Control)
	l.App, l.Image, l.Port = "far", s.image, enginetest.FreePort(t)
	return l
}

func (f fixture) pulls(t *testing.T) {
	s := f.shop(t, false)
	e := newEngine(t, docker.Options{Allowed: &images.Allowed{Images: []string{strings.TrimSuffix(s.image, "apps:1") + "*"}}})
	id, said, err := prepare(t, e, s.lane(t))
	require.NoError(t, err)
	require.Contains(t, said.String(), "lane far: pulling "+s.image)
	require.Regexp(t, `lane far: pulling \S+: [0-9.]+[kM]?B of [0-9.]+MB`, said.String(), "how far it is")
	facts := e.Facts(id)
	require.NotEmpty(t, facts.Versions["docker"])
	source := facts.Images["far"]
	require.Equal(t, s.image, source.Name)
	require.Regexp(t, `^sha256:[0-9a-f]{64}$`, source.ID)
	require.Regexp(t, `^127\.0\.0\.1:\d+/shop/apps@sha256:[0-9a-f]{64}$`, source.Digest)
}

func (f fixture) runsTools(t *testing.T) {
	s := f.shop(t, false)
	e, id := newEngine(t, docker.Options{Allowed: &images.Allowed{Images: []string{strings.TrimSuffix(s.image, "apps:1") + "*"}}}), newID()
	_, err := e.ToolImage(t.Context(), "the clock", "evil/miner:3", func(string) {})
	require.ErrorContains(t, err, "the clock: the image evil/miner:3 may not be run here")
	var told []string
	source, err := e.ToolImage(t.Context(), "the clock", s.image, func(line string) { told = append(told, line) })
	require.NoError(t, err)
	require.Contains(t, told, "the clock: pulling "+s.image)
	require.Regexp(t, `^127\.0\.0\.1:\d+/shop/apps@sha256:[0-9a-f]{64}$`, source.Digest)

	tool, err := e.StartTool(t.Context(), docker.ToolSpec{RaceID: id, Name: "clock", Image: source.ID, Args: []string{"no such app"}, Stdout: io.Discard, Stderr: io.Discard})
	require.NoError(t, err)
	select {
	case <-tool.Done():
	case <-time.After(30 * time.Second):
		require.Fail(t, "it does not end")
	}
	code, err := tool.Code()
	require.NoError(t, err)
	require.NotZero(t, code, "there is no such app in it")
	require.NoError(t, tool.Signal(t.Context(), "SIGINT"), "one that has ended needs no signal")
	require.NotEmpty(t, dockertest.Left(t, f.client, id))
	require.NoError(t, e.RemoveTools(t.Context(), id))
	require.NoError(t, tool.Remove(t.Context()), "it may be removed again")
	require.Empty(t, dockertest.Left(t, f.client, id))
}

func (f fixture) stopsPulling(t *testing.T) {
	s := f.shop(t, false)
	e, id := newEngine(t, docker.Options{}), newID()
	ctx, stop := context.WithCancelCause(t.Context())
	pressed := errors.New("somebody pressed stop")
	err := e.Prepare(ctx, id, []race.LaneSpec{s.lane(t)}, func(line string) {
		if strings.Contains(line, " of ") {
			stop(pressed)
		}
	})
	require.ErrorIs(t, err, pressed)
	require.NoError(t, e.Cleanup(t.Context(), id))
	require.Empty(t, dockertest.Left(t, f.client, id))
	_, err = f.client.ImageInspect(t.Context(), s.image)
	require.Error(t, err, "half an image is none")
}

func (f fixture) logsIn(t *testing.T) {
	s := f.shop(t, true)
	folder := t.TempDir()
	t.Setenv("DOCKER_CONFIG", folder)
	_, _, err := prepare(t, newEngine(t, docker.Options{}), s.lane(t))
	require.Equal(t, race.Unavailable, race.CodeOf(err), err)
	require.ErrorContains(t, err, "lane far: the image "+s.image+" is not on this machine and cannot be pulled")
	require.Contains(t, race.HintOf(err), "docker login")

	host, _, _ := strings.Cut(s.image, "/")
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, host, auth), 0o600))
	_, _, err = prepare(t, newEngine(t, docker.Options{}), s.lane(t))
	require.NoError(t, err)
}
