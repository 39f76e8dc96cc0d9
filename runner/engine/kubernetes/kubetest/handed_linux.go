package kubetest

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a container is handed: its command line, its variables and its files.

// argv is the command line of the container. Whatever program a command names, the image has one only. Its files are not where a container would
// have them, so their folders in it are replaced.
func (p *pod) argv(image Image) ([]string, error) {
	c := p.container()
	argv := []string{image.Program}
	if len(c.Command) > 0 {
		argv = append(argv, c.Command[1:]...)
	}
	argv = append(argv, c.Args...)
	for n := range argv {
		argv[n] = strings.ReplaceAll(argv[n], "0.0.0.0", p.ip) // as above
	}
	for _, m := range c.VolumeMounts {
		i := slices.IndexFunc(p.spec.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name && v.ConfigMap != nil })
		if i < 0 {
			continue
		}
		dir, err := p.mount(p.spec.Spec.Volumes[i].ConfigMap.Name)
		if err != nil {
			return nil, err
		}
		for n, arg := range argv {
			if rest, in := strings.CutPrefix(arg, strings.TrimSuffix(m.MountPath, "/")+"/"); in {
				argv[n] = filepath.Join(dir, rest)
			}
		}
	}
	return argv, nil
}

// secrets are the variables that the container has from Secrets.
func (p *pod) secrets() (env []string, err error) {
	for _, from := range p.container().EnvFrom {
		found, err := p.node.client.CoreV1().Secrets(p.spec.Namespace).Get(context.Background(), from.SecretRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		for name, value := range found.Data {
			env = append(env, name+"="+string(value))
		}
	}
	return env, nil
}

// mount writes the files of a ConfigMap.
func (p *pod) mount(name string) (dir string, err error) {
	files, err := p.node.client.CoreV1().ConfigMaps(p.spec.Namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	dir = filepath.Join(p.node.dir, string(p.spec.UID)+"-"+name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	all := map[string][]byte{}
	for name, text := range files.Data {
		all[name] = []byte(text)
	}
	maps.Copy(all, files.BinaryData)
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}
