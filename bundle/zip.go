package bundle

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// binaryPrefix is how Grafana's plugin binaries are called, and how they are told from everything else.
const binaryPrefix = "gpx_"

// manifest is what a plugin.json says about the package that it stands in.
type manifest struct {
	ID   string
	Info struct{ Version string }
}

func read(dist fs.FS) (manifest, error) {
	var found manifest
	text, err := fs.ReadFile(dist, "plugin.json")
	if err != nil {
		return found, fmt.Errorf("the build left no plugin.json: %w", err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return found, fmt.Errorf("the built plugin.json cannot be read: %w", err)
	}
	if found.ID == "" || found.Info.Version == "" || strings.Contains(found.Info.Version, "%") {
		return found, fmt.Errorf("the built plugin.json has the id %q and the version %q; both must be set", found.ID, found.Info.Version)
	}
	return found, nil
}

// write puts the plugin's zip and a copy of its source's into the folder out.
func write(dist fs.FS, source, out string, when time.Time) (Zips, error) {
	plugin, err := read(dist)
	if err != nil {
		return Zips{}, err
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return Zips{}, err
	}
	base := filepath.Join(out, plugin.ID+"-"+plugin.Info.Version)
	zips := Zips{Plugin: base + ".zip", Source: base + "-source.zip"}
	file, err := os.Create(zips.Plugin)
	if err != nil {
		return Zips{}, err
	}
	if err := errors.Join(Zip(file, dist, plugin.ID, when), file.Close()); err != nil {
		return Zips{}, err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return Zips{}, err
	}
	return zips, os.WriteFile(zips.Source, text, 0o644) //nolint:gosec // it is for everyone to read
}

// Zip writes a built plugin as Grafana unpacks it: everything in one folder that bears the plugin's id, binaries 0755 and all else 0644
// whatever the umask of the machine that built it, in the order of names, at one time.
func Zip(w io.Writer, dist fs.FS, id string, when time.Time) error {
	archive := zip.NewWriter(w)
	err := fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file; a plugin is made of nothing else", name)
		}
		return add(archive, dist, name, id, when)
	})
	return errors.Join(err, archive.Close())
}

func add(archive *zip.Writer, dist fs.FS, name, id string, when time.Time) error {
	header := &zip.FileHeader{Name: path.Join(id, name), Method: zip.Deflate, Modified: when.UTC()}
	header.SetMode(0o644)
	if strings.HasPrefix(path.Base(name), binaryPrefix) {
		header.SetMode(0o755)
	}
	file, err := dist.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, file)
	return err
}
