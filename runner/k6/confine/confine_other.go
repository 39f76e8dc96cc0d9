//go:build !linux

package confine

import "errors"

func restrict(rules) error { return Supported() }

// Supported says why processes cannot be confined on this machine.
func Supported() error { return errors.New("only Linux can confine a process to folders (Landlock)") }
