package process

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// samples is the folder beside a go.mod in which sample apps are looked for.
const samples = "testapps"

// buildLines of the compiler's output are quoted in an error.
const buildLines = 10

// programs finds the program of each lane that has a command: the path of an executable file by app.
func (e *Engine) programs(ctx context.Context, lanes []race.LaneSpec, say func(string)) (map[string]string, error) {
	found := map[string]string{}
	toBuild := map[string][]string{} // names of sample apps by the folder of their go.mod
	for _, l := range lanes {
		if l.Elsewhere() {
			continue
		}
		if len(l.Command) == 0 {
			return nil, race.Errorf(race.Invalid, "race it with --engine docker, or give the lane a command",
				"lane %s has no command, and local processes are all that the engine process can start", l.App)
		}
		program, module, err := e.find(l)
		if err != nil {
			return nil, err
		}
		found[l.App] = program
		if module != "" && !slices.Contains(toBuild[module], l.Command[0]) {
			toBuild[module] = append(toBuild[module], l.Command[0])
		}
	}
	for _, module := range slices.Sorted(maps.Keys(toBuild)) {
		if err := e.build(ctx, module, toBuild[module], say); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Check says whether a lane's program is there, or is a sample app that can be built. It starts nothing.
func (e *Engine) Check(l race.LaneSpec) error {
	if l.Elsewhere() {
		return nil
	}
	_, _, err := e.find(l)
	return err
}

// find finds a lane's program. For a sample app that is the place where it is going to be built, and the folder of its module.
func (e *Engine) find(l race.LaneSpec) (program, module string, err error) {
	name, field := l.Command[0], "lanes."+l.App+".command"
	if strings.ContainsRune(name, '/') {
		if !filepath.IsAbs(name) {
			name = filepath.Join(e.options.ScriptDir, name)
		}
		program, err = exec.LookPath(name)
		if err != nil {
			return "", "", race.Errorf(race.Invalid, "a command with a slash is relative to the script's folder", "lane %s: cannot run %s: %w", l.App, name, cause(err)).At(field)
		}
		return program, "", nil
	}
	if program, err = exec.LookPath(name); err == nil {
		program, err = filepath.Abs(program) // PATH may hold relative folders, and the app is started in another one
		return program, "", err
	}
	if module = e.module(name); module == "" {
		return "", "", race.Errorf(race.Invalid, "write a program beside the script as ./"+name,
			"lane %s: there is no program %s in PATH, and no sample app %s/%s beside a go.mod above the script or the working folder", l.App, name, samples, name).At(field)
	}
	dir, err := e.buildDir(module)
	return filepath.Join(dir, name), module, err
}

// cause is the reason without the path, which the caller names.
func cause(err error) error {
	var program *exec.Error
	if errors.As(err, &program) {
		err = program.Err
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		err = file.Err
	}
	return err
}

// module finds the folder with a go.mod and the sample app, from the script's folder upwards and from the working folder upwards.
func (e *Engine) module(name string) string {
	starts := []string{e.options.ScriptDir}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, dir := range starts {
		for {
			mod, err := os.Stat(filepath.Join(dir, "go.mod"))
			app, appErr := os.Stat(filepath.Join(dir, samples, name))
			if err == nil && appErr == nil && mod.Mode().IsRegular() && app.IsDir() {
				return dir
			}
			up := filepath.Dir(dir)
			if up == dir {
				break
			}
			dir = up
		}
	}
	return ""
}

// buildDir is where a module's sample apps are built: one folder per module, so that two work trees do not take turns.
func (e *Engine) buildDir(module string) (string, error) {
	cache := e.options.CacheDir
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", race.Errorf(race.Unavailable, "set HOME or XDG_CACHE_HOME", "there is no cache folder to build the sample apps in: %w", err)
		}
		cache = filepath.Join(user, "photofinish")
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return filepath.Join(cache, fmt.Sprintf("testapps-%.6x", sha256.Sum256([]byte(module)))), nil
}

// build compiles sample apps. Go itself knows what is up to date: a second race builds nothing.
func (e *Engine) build(ctx context.Context, module string, names []string, say func(string)) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return race.Errorf(race.Unavailable, "install Go, or give the lanes commands that are in PATH or beside the script",
			"the sample apps %s have to be built, and there is no go in PATH", strings.Join(names, ", "))
	}
	dir, err := e.buildDir(module)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return race.Errorf(race.Unavailable, "", "cannot make the folder for sample apps: %w", err)
	}
	say("building " + strings.Join(names, ", "))
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", dir + "/"}
	for _, name := range names {
		args = append(args, "./"+samples+"/"+name)
	}
	cmd := exec.CommandContext(ctx, goTool, args...)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return race.Errorf(race.Unavailable, "", "the sample apps %s cannot be built: %w\n  %s",
			strings.Join(names, ", "), err, strings.Join(lines[max(0, len(lines)-buildLines):], "\n  "))
	}
	return nil
}
