//go:build mage

// The tasks of the repository; go tool mage lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	sdk "github.com/grafana/grafana-plugin-sdk-go/build"
	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"

	"github.com/photofinish/photofinish/bundle"
)

// golangciLint is pinned here and not in go.mod: its own dependencies would choose versions for ours.
const golangciLint = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"

// pluginValidator is pinned here for the same reason. The commit is that of release 0.45.6: its tags are not of the form that Go knows.
const pluginValidator = "github.com/grafana/plugin-validator/pkg/cmd/plugincheck2@a7e38aae36a336062e9aa5ee9dd36435851daac2"

// Build compiles the runner, and the Grafana app with its data source to dist.
func Build() {
	mg.SerialDeps(BuildRunner, BuildFrontend, BuildBackend)
}

// BuildRunner compiles the runner to bin/photofinish.
func BuildRunner() error {
	return sh.RunWithV(map[string]string{"CGO_ENABLED": "0"}, "go", "build", "-trimpath", "-o", "bin/photofinish", "./runner")
}

// platforms are those that Grafana runs on and the plugin is published for.
var platforms = [][2]string{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

// BuildBackend compiles the data source's binary for every platform, to dist/datasource/gpx_photofinish_<os>_<arch>. Grafana's own
// build names it, writes its version into it, and lists the sources that it was made from in dist/go_plugin_build_manifest.
func BuildBackend() error {
	if err := sdk.SetBeforeBuildCallback(bundle.Stamp); err != nil {
		return err
	}
	for _, platform := range platforms {
		if err := (sdk.Build{}).Custom(platform[0], platform[1]); err != nil {
			return err
		}
	}
	return nil
}

// BuildFrontend bundles the app plugin and those nested in it to dist.
func BuildFrontend() error {
	mg.Deps(npmCI)
	return sh.RunV("npm", "run", "build")
}

// Package builds what HEAD holds, in a folder of its own so that nothing else gets in, and writes the plugin and its source to bin as zips.
func Package(ctx context.Context) error {
	_, err := packaged(ctx)
	return err
}

// Validate packages the plugin and holds it against the rules of Grafana's catalog, some of which ask grafana.com.
func Validate(ctx context.Context) error {
	zips, err := packaged(ctx)
	if err != nil {
		return err
	}
	return sh.RunV("go", "run", pluginValidator, "-config", "bundle/validator.yaml", "-sourceCodeUri", zips.Source, zips.Plugin)
}

func packaged(ctx context.Context) (bundle.Zips, error) {
	return bundle.Package(ctx, "HEAD", "bin", func(ctx context.Context, source string, env []string) error {
		build := exec.CommandContext(ctx, "go", "tool", "mage", "buildFrontend", "buildBackend")
		build.Dir, build.Env, build.Stdout, build.Stderr = source, append(os.Environ(), env...), os.Stdout, os.Stderr
		return build.Run()
	})
}

// npmCI installs exactly what package-lock.json names.
func npmCI() error {
	return sh.RunV("npm", "ci")
}

// testFrontend comes before the Go tests, so that their summary stands at the end.
func testFrontend() error {
	mg.Deps(npmCI)
	for _, script := range []string{"typecheck", "lint", "test"} {
		if err := sh.RunV("npm", "run", script); err != nil {
			return err
		}
	}
	return nil
}

// Test passes every test. What it needs it installs itself, as root on Debian; elsewhere a test says loudly what it skipped and why.
func Test() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // also where the next lines panic
	built := controlPlane(ctx)
	mg.SerialDeps(chromium, testFrontend)
	host, stop := docker()
	defer stop()
	built() // from now on it is measured
	env := map[string]string{"DOCKER_HOST": host}
	if os.Getenv("CI") != "" {
		env["PHOTOFINISH_REQUIRE_ALL"] = "1" // a skip is a failure
	}
	// Packages run one after the other: races measure, and two of them at once would measure each other.
	return sh.RunWithV(env, "go", "test", "-p", "1", "-timeout", "30m", "./...")
}

// Race runs the tests of the packages without k6 and Prometheus under the race detector.
func Race() error {
	return sh.RunV("go", "test", "-race", "./pkg/...", "./runner/store", "./runner/results", "./runner/plan", "./runner/audit", "./runner/definition")
}

// Lint holds the code against the house rules.
func Lint() error {
	return sh.RunV("go", "run", golangciLint, "run", "./...")
}

// Bench measures what docs/performance.md claims. It takes about half an hour, one race of ten minutes in it, and wants an idle machine.
func Bench() error {
	return sh.RunV("go", "test", "-p", "1", "-timeout", "90m", "-run", "^$", "-bench", ".", "./...")
}

// Calibrate measures how far verdicts can be believed, for docs/verdict.md. It may be interrupted: what docs/calibration.json holds is not measured again.
func Calibrate() error {
	return sh.RunV("go", "run", "./tests/calibration")
}

// Stack runs docker-compose.yaml but for Grafana on this machine's Docker Engine, and races the sample apps in it. The first time it takes
// some ten minutes, in which Compose is built, and Prometheus and cAdvisor where they cannot be pulled.
func Stack() error {
	return sh.RunWithV(map[string]string{"PHOTOFINISH_TEST_STACK": "1"}, "go", "test", "-count", "1", "-timeout", "60m", "-v", "-run", "TestStack", "./tests/compose")
}

// chromium is what the report is looked at with.
func chromium() error {
	if _, err := exec.LookPath("chromium"); err == nil {
		return nil
	}
	if !debianRoot() {
		fmt.Fprintln(os.Stderr, "SKIPPED: no chromium here and no right to install it (root on Debian); the tests that open report.html in a browser are skipped")
		return nil
	}
	apt := map[string]string{"DEBIAN_FRONTEND": "noninteractive"}
	return errors.Join(
		sh.RunWith(apt, "apt-get", "update", "-qq"),
		sh.RunWith(apt, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
	)
}

func debianRoot() bool {
	release, err := os.ReadFile("/etc/os-release")
	return err == nil && strings.Contains(string(release), "ID=debian") && os.Geteuid() == 0
}
