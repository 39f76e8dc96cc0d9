package confine

import (
	"errors"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// system is what k6 needs to resolve names, check certificates and tell the time.
func system() []string {
	return []string{
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/localtime",
		"/dev/null", "/dev/urandom",
	}
}

func systemFolders() []string {
	return []string{"/etc/ssl/certs", "/etc/pki/tls/certs", "/usr/share/ca-certificates", "/usr/share/zoneinfo", "/run/systemd/resolve"}
}

// restrict asks for what the first version of Landlock has: reading and writing files. Newer versions refuse more.
func restrict(r rules) error {
	if err := Supported(); err != nil {
		return err // BestEffort would let it pass
	}
	return landlock.V3.BestEffort().RestrictPaths(
		landlock.RODirs(r.Read...),
		landlock.RWDirs(r.Write...),
		landlock.ROFiles(system()...).IgnoreIfMissing(),
		landlock.RODirs(systemFolders()...).IgnoreIfMissing(),
	)
}

// Supported says why processes cannot be confined on this machine; nil if they can.
func Supported() error {
	// With this flag the call makes nothing and returns the version that the kernel speaks.
	_, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errno == 0:
		return nil
	case errors.Is(errno, unix.EOPNOTSUPP):
		return errors.New("the kernel's Landlock is switched off")
	case errors.Is(errno, unix.EPERM):
		return errors.New("the container's seccomp profile forbids Landlock")
	}
	return errors.New("this kernel has no Landlock")
}
