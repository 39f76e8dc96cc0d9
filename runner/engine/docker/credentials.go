package docker

import (
	"fmt"
	"os"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/api/types/registry"
)

// hub is what docker login calls Docker Hub.
const hub = "https://index.docker.io/v1/"

// credentials are what `docker login` left for an image's registry, in this user's Docker configuration (DOCKER_CONFIG, else ~/.docker) or the keychain
// that it names, as the Docker Engine wants them; "" for none.
func credentials(ref reference.Named) (string, error) {
	host := reference.Domain(ref)
	key := host
	if host == "docker.io" {
		key = hub
	}
	file, err := config.Load(os.Getenv(config.EnvOverrideConfigDir)) // "" is the user's own
	if err != nil {
		return "", fmt.Errorf("read Docker's configuration: %w", err)
	}
	known, err := file.GetAuthConfig(key)
	if err != nil {
		return "", fmt.Errorf("read the login for %s: %w", host, err)
	}
	if known.Username == "" && known.IdentityToken == "" && known.RegistryToken == "" {
		return "", nil
	}
	return registry.EncodeAuthConfig(registry.AuthConfig{
		Username: known.Username, Password: known.Password, Auth: known.Auth, ServerAddress: known.ServerAddress,
		IdentityToken: known.IdentityToken, RegistryToken: known.RegistryToken,
	})
}
