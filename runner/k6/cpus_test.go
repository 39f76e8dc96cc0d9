package k6_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestK6IsToldOnHowManyCPUsToRun(t *testing.T) {
	t.Setenv("GOMAXPROCS", "") // the test's own would be taken for the user's
	x := newTrial(t, "s.js", `
		import http from 'k6/http';
		export const options = { scenarios: { s: { executor: 'constant-arrival-rate', rate: 10, duration: '1s', preAllocatedVUs: 3 } } };
		export default function () { http.get(__ENV.APP_URL, { headers: { 'X-Test': 'GOMAXPROCS=' + __ENV.GOMAXPROCS } }); }`)
	x.run.CPUs = 1
	p := x.start(t.Context(), t)
	exit := x.conduct(t, p, nil)
	require.Zero(t, exit.Code, "%v", p.Logs())
	require.Equal(t, "GOMAXPROCS=1", x.a.header.Load())
	require.Equal(t, 1, x.files.CPUs)
}
