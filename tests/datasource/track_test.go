package datasource_test

import "testing"

// TestTheTrackPanelWorksInARealBrowser loads the track panel's bundle in a Chromium as Grafana loads it, over frames that the data source's
// binary sent for a real race. What is done there with mouse and keyboard stands in tests/e2e/track, and what all panels
// do where something fails in tests/e2e/panels.
func TestTheTrackPanelWorksInARealBrowser(t *testing.T) {
	env := []string{"PHOTOFINISH_CHROMIUM=" + browser(t), "PHOTOFINISH_E2E_URL=" + servePanels(t)}
	npx(t, env, "vitest", "run", "--config", "tests/e2e/panels/vitest.config.ts")
}
