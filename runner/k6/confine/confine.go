// Package confine keeps a k6 process to the folders that its script may read. A script can open files, import modules and load protocol
// files by a dozen ways of k6's; so not k6 is asked to refuse, but the kernel (Landlock, Linux 5.13 or newer), before any script is loaded.
// What a process may do it can never widen again, and its children inherit it.
package confine

import (
	"encoding/json"
	"fmt"
	"os"
)

// Variable is the environment variable by which a k6 process learns what it is confined to.
const Variable = "PHOTOFINISH_CONFINE"

type rules struct {
	Read  []string `json:"read"`
	Write []string `json:"write"`
}

// Env is the variable that confines a k6 process: it may read some folders, and write one.
func Env(read []string, write string) string {
	text, err := json.Marshal(rules{Read: read, Write: []string{write}})
	if err != nil { // texts can always be written
		text = []byte("{}")
	}
	return Variable + "=" + string(text)
}

// Apply confines this process if the environment says so. After an error it must not run a script.
func Apply() error {
	text, asked := os.LookupEnv(Variable)
	if !asked {
		return nil
	}
	var r rules
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return fmt.Errorf("%s in the environment is not readable: %w", Variable, err)
	}
	if err := os.Unsetenv(Variable); err != nil {
		return fmt.Errorf("confine k6: %w", err)
	}
	if err := restrict(r); err != nil {
		return fmt.Errorf("k6 cannot be confined to the folder of the scripts: %w", err)
	}
	return nil
}
