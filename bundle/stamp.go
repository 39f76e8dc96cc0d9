package bundle

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	sdk "github.com/grafana/grafana-plugin-sdk-go/build"
	"github.com/grafana/grafana-plugin-sdk-go/build/buildinfo"
)

// epoch is the variable by which a reproducible build is told the time, in seconds (reproducible-builds.org).
const epoch = "SOURCE_DATE_EPOCH"

// infoVariable is where Grafana's SDK keeps the id, version and time of a build.
const infoVariable = "github.com/grafana/grafana-plugin-sdk-go/build/buildinfo.buildInfoJSON"

// Stamp is asked by the build of Grafana's SDK before each binary. It keeps out what the machine and the hour would put in: the paths
// always, and the time where SOURCE_DATE_EPOCH gives one.
func Stamp(config sdk.Config) (sdk.Config, error) {
	if config.Env != nil { // the build's manifest asks too, and runs nothing
		config.Env["GOFLAGS"] = strings.TrimSpace(os.Getenv("GOFLAGS") + " -trimpath")
	}
	given := os.Getenv(epoch)
	if given == "" {
		return config, nil
	}
	seconds, err := strconv.ParseInt(given, 10, 64)
	if err != nil {
		return config, fmt.Errorf("%s is %q: give it whole seconds since 1970", epoch, given)
	}
	info, err := describe(time.Unix(seconds, 0))
	if err != nil {
		return config, err
	}
	flags := map[string]string{}
	info.AppendFlags(flags)
	config.CustomVars = map[string]string{infoVariable: flags[infoVariable]}
	return config, nil
}

// describe says of the plugin in the working directory what the SDK would, but for the time.
func describe(when time.Time) (buildinfo.Info, error) {
	var app struct{ ID string }
	var npm struct{ Version string }
	for file, into := range map[string]any{"src/plugin.json": &app, "package.json": &npm} {
		text, err := os.ReadFile(file)
		if err != nil {
			return buildinfo.Info{}, err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return buildinfo.Info{}, fmt.Errorf("%s: %w", file, err)
		}
	}
	return buildinfo.Info{Time: when.UnixMilli(), PluginID: app.ID, Version: npm.Version}, nil
}
