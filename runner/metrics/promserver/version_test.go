package promserver

import "testing"

func TestTheModuleVersionNamesTheRelease(t *testing.T) {
	tests := map[string]string{
		"v0.316.0":      "3.16.0",
		"v0.305.2":      "3.5.2",
		"v0.300.0-rc.1": "3.0.0-rc.1",
		"v2.1.0":        "2.1.0",
		"(devel)":       "(devel)",
	}
	for module, want := range tests {
		if got := release(module); got != want {
			t.Errorf("release(%q) = %q, want %q", module, got, want)
		}
	}
}
