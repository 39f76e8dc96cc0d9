package images_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/images"
)

func TestOnlyWhatIsAllowedMayBeRun(t *testing.T) {
	for _, c := range []struct {
		pattern, image string
		may            bool
	}{
		{"nginx", "nginx", true},
		{"nginx", "nginx:1.29", true},
		{"nginx", "docker.io/library/nginx:1.29", true},
		{"nginx:1.*", "nginx:1.29", true},
		{"nginx:1.*", "nginx:2.0", false},
		{"nginx", "evil/nginx", false},
		{"nginx", "nginx-evil", false},
		{"nginx", "registry.example.com/nginx", false},
		{"photofinish/*", "photofinish/control:v2", true},
		{"photofinish/*", "photofinish/a/b", false},
		{"photofinish/*", "evil.example.com/photofinish/control", false},
		{"ghcr.io/acme/*", "ghcr.io/acme/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true},
		{"*", "nginx", true},
		{"*", "acme/web", false},
	} {
		err := (&images.Allowed{Images: []string{"other", c.pattern}}).Run(c.image)
		require.Equal(t, c.may, err == nil, "%s by %s: %v", c.image, c.pattern, err)
	}
}

func TestNothingIsAllowedUnlessItIsSaid(t *testing.T) {
	err := (&images.Allowed{}).Run("nginx")
	require.ErrorContains(t, err, "the image nginx:latest may not be run here; none may be")
	require.Contains(t, race.HintOf(err), "docker.images")
	require.ErrorContains(t, (&images.Allowed{Images: []string{"nginx"}}).Building(), "builds no images")
	require.NoError(t, (&images.Allowed{Build: true}).Building())

	var all *images.Allowed
	require.NoError(t, all.Run("nginx"))
	require.NoError(t, all.Building())
	require.ErrorContains(t, all.Run("UPPER case"), "is no name of an image")
}

func TestAPatternThatIsNoneIsToldOf(t *testing.T) {
	require.NoError(t, images.Check([]string{"nginx:1.*", "ghcr.io/acme/*"}))
	require.ErrorContains(t, images.Check([]string{"nginx", "acme/[a"}), `"acme/[a" is no pattern`)
	require.ErrorContains(t, images.Check([]string{""}), `"" is no pattern`)
}
