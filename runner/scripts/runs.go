package scripts

import (
	"regexp"
	"strings"
)

var (
	// entry is what k6 looks for in a script: options, or a default export that may be a function. Minified scripts have no spaces.
	entry = regexp.MustCompile(`\bexport\s+default\s*[^\s{\[]|\bexport\s+(const|let|var)\s+options\b|\bexport\s*\{[^}]*\b(default|options)\b`)
	// commonJS is the same in older scripts and in bundles, but also in what any other program requires.
	commonJS = regexp.MustCompile(`\bexports\b`)
	imported = regexp.MustCompile(`\b(from|import|require\s*\()\s*["']([^"'\n]+)["']`)
)

// runs says whether a text looks like a script that k6 could run: it has an entry, and nothing that only a package manager could bring. A look is cheap, and
// what it is wrong about can be raced by its name all the same.
func runs(text []byte) bool {
	k6, packages := false, false
	for _, m := range imported.FindAllSubmatch(text, -1) {
		name := string(m[2])
		switch {
		case name == "k6" || strings.HasPrefix(name, "k6/"):
			k6 = true
		case !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "/") && !strings.Contains(name, "://"):
			packages = true
		}
	}
	if k6 {
		return entry.Match(text) || commonJS.Match(text)
	}
	return !packages && entry.Match(text)
}
