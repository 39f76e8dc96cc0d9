package cmd_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
)

// Where a compose file's server of queues is published in this test.
const queuesPort = 30190

// TestWorkersRaceInContainers has what docker-compose.yaml has: a server of queues in the project's network, and workers that find it there by its name.
func TestWorkersRaceInContainers(t *testing.T) {
	c := dockertest.Client(t)
	name := func(what string) string { return fmt.Sprintf("photofinish-test-%s-%d", what, os.Getpid()) }
	server, worker := "photofinish-test/goaws:"+fmt.Sprint(os.Getpid()), "photofinish-test/sqs-worker:"+fmt.Sprint(os.Getpid())
	dockertest.Image(t, c, server, dockertest.Build(t, "github.com/Admiral-Piett/goaws/app/cmd"))
	dockertest.Image(t, c, worker, dockertest.Build(t, "github.com/photofinish/photofinish/testapps/sqs-worker"), "USER 65534")
	project := name("queues")
	startServer(t, c, server, project+"_stack")
	admin := sqs.New(sqs.Options{BaseEndpoint: aws.String(fmt.Sprintf("http://127.0.0.1:%d", queuesPort)), Region: "us-east-1", Credentials: aws.AnonymousCredentials{}})
	for _, queue := range []string{"one-by-one", "one-by-one-replies", "batched", "batched-replies"} {
		_, err := admin.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &queue, Attributes: map[string]string{"VisibilityTimeout": "30"}})
		require.NoError(t, err)
	}
	t.Setenv("AWS_ENDPOINT_URL", fmt.Sprintf("http://127.0.0.1:%d", queuesPort))

	dir := t.TempDir()
	const service = "{ image: %q, %s networks: [stack], cap_drop: [ALL], security_opt: ['no-new-privileges:true'], read_only: true, environment: { AWS_ENDPOINT_URL: 'http://sqs:4100' } }"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "compose.yaml"), fmt.Appendf(nil, "name: %s\nservices:\n  a: "+service+"\n  b: "+service+"\nnetworks: { stack: }\n",
		project, worker, "", worker, "command: [--batched],"), 0o600))
	script := filepath.Join(dir, "script.js")
	require.NoError(t, os.WriteFile(script, []byte(workersScript(usualJob, "'5s'",
		"a: { compose: 'compose.yaml#a', queue: 'one-by-one', cpus: 0.5, memory: '64m' }", "b: { compose: 'compose.yaml#b', queue: 'batched', cpus: 0.5, memory: '64m' }")), 0o600))
	f := runRace(t.Context(), t, script, "--engine", "docker")
	require.Equal(t, 0, f.code)
	require.Equal(t, race.Finished, f.record.Status)
	for _, l := range f.record.Lanes {
		require.InDelta(t, 120, l.Client.Requests, 6, l.App)
		require.Zero(t, l.Client.Failed)
		require.Positive(t, *l.Joined.CPUMSPerRequest)
		require.Contains(t, l.Image.Name, "sqs-worker")
	}
	_, found := f.finding(race.Redelivered)
	require.False(t, found, "%v", f.record.Audit.Findings)
	require.Empty(t, dockertest.Left(t, c, f.record.ID))
	nothingLeft(t)
}

// startServer runs goaws in a network under the name sqs until the test ends.
func startServer(t *testing.T, c *client.Client, image, networkName string) {
	t.Helper()
	ctx := context.Background() // also of what is done after the test
	made, err := c.NetworkCreate(ctx, networkName, network.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.NetworkRemove(ctx, made.ID)) })
	port := nat.Port("4100/tcp")
	box, err := c.ContainerCreate(ctx, &container.Config{Image: image, Cmd: []string{"-loglevel", "error"}, ExposedPorts: nat.PortSet{port: {}}},
		&container.HostConfig{PortBindings: nat.PortMap{port: {{HostIP: "127.0.0.1", HostPort: fmt.Sprint(queuesPort)}}}},
		&network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{networkName: {Aliases: []string{"sqs"}}}}, nil, "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.ContainerRemove(ctx, box.ID, container.RemoveOptions{Force: true})) })
	require.NoError(t, c.ContainerStart(ctx, box.ID, container.StartOptions{}))
	require.Eventually(t, func() bool {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/health", queuesPort))
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, 15*time.Second, 50*time.Millisecond)
}
