package docker

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
)

// The labels of everything that a race makes. cAdvisor shows the first two as container_label_photofinish_race and _app.
const (
	raceLabel  = "photofinish.race"
	appLabel   = "photofinish.app"
	ownerLabel = "photofinish.owner"
	toolLabel  = "photofinish.tool" // of what is no lane
)

func (e *Engine) labels(raceID string) map[string]string {
	labels := map[string]string{raceLabel: raceID}
	if e.options.Ledger != nil {
		labels[ownerLabel] = e.options.Ledger.Owner()
	}
	return labels
}

// makeNetwork makes the race's own bridge. Its containers do not see each other: lanes are strangers.
func (e *Engine) makeNetwork(ctx context.Context, raceID string) (id string, err error) {
	made, err := e.client.NetworkCreate(ctx, "photofinish-"+raceID, network.CreateOptions{
		Driver: "bridge", Labels: e.labels(raceID), Options: map[string]string{"com.docker.network.bridge.enable_icc": "false"},
	})
	if err != nil {
		return "", e.explain(ctx, err, "make a network for race "+raceID)
	}
	return made.ID, nil
}

// remove removes all containers and networks of a race, whoever made them. It may be called again.
func (e *Engine) remove(ctx context.Context, raceID string) error {
	errs := []error{e.removeContainers(ctx, raceID)}
	mine := filters.NewArgs(filters.Arg("label", raceLabel+"="+raceID))
	networks, err := e.client.NetworkList(ctx, network.ListOptions{Filters: mine})
	if err != nil {
		return errors.Join(append(errs, e.explain(ctx, err, "look for what is left of race "+raceID))...)
	}
	for _, n := range networks {
		if err := e.client.NetworkRemove(ctx, n.ID); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, e.explain(ctx, err, "remove the network "+n.Name))
		}
	}
	return errors.Join(errs...)
}

// removeContainers removes the containers of a race that pass all filters.
func (e *Engine) removeContainers(ctx context.Context, raceID string, more ...filters.KeyValuePair) error {
	mine := filters.NewArgs(append(more, filters.Arg("label", raceLabel+"="+raceID))...)
	containers, err := e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: mine})
	if err != nil {
		return e.explain(ctx, err, "look for what is left of race "+raceID)
	}
	var errs []error
	for _, c := range containers {
		errs = append(errs, e.removeContainer(ctx, c.ID))
	}
	return errors.Join(errs...)
}

// removeContainer ends a container and removes it with its volumes. Its own end, or somebody else's removal, may come first.
func (e *Engine) removeContainer(ctx context.Context, id string) error {
	err := e.client.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	switch {
	case err == nil || errdefs.IsNotFound(err):
		return nil
	case errdefs.IsConflict(err): // it is being removed
		return e.awaitRemoval(ctx, id)
	}
	return e.explain(ctx, err, "remove the container "+short(id))
}

func (e *Engine) awaitRemoval(ctx context.Context, id string) error {
	removed, failed := e.client.ContainerWait(ctx, id, container.WaitConditionRemoved)
	select {
	case <-removed:
		return nil
	case err := <-failed:
		if errdefs.IsNotFound(err) {
			return nil
		}
		return e.explain(ctx, err, "remove the container "+short(id))
	}
}

// racesOf are the ids of the races of which containers or networks of an owner are left, ascending.
func (e *Engine) racesOf(ctx context.Context, owner string) ([]string, error) {
	theirs := filters.NewArgs(filters.Arg("label", raceLabel), filters.Arg("label", ownerLabel+"="+owner))
	found := map[string]bool{}
	containers, err := e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: theirs})
	if err != nil {
		return nil, e.explain(ctx, err, "look for what dead runners left")
	}
	for _, c := range containers {
		found[c.Labels[raceLabel]] = true
	}
	networks, err := e.client.NetworkList(ctx, network.ListOptions{Filters: theirs})
	if err != nil {
		return nil, e.explain(ctx, err, "look for what dead runners left")
	}
	for _, n := range networks {
		found[n.Labels[raceLabel]] = true
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// short is the part of an id that people know a container by.
func short(id string) string { return id[:min(12, len(id))] }
