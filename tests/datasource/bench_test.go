package datasource_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/gctuner"
	"github.com/photofinish/photofinish/pkg/plugin"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/tests/datasource/generated"
)

// The races of the benchmarks, as photofinish writes them (schema 8) and as a stock k6 does (schema 3).
func races(apps int, heat time.Duration, heats, rate int) map[string]generated.Race {
	return map[string]generated.Race{
		"own":   {ID: "race", Start: t0(), Apps: apps, Heats: heats, HeatLength: heat, Rate: rate},
		"stock": {ID: "race", Start: t0(), Apps: apps, Heats: 1, HeatLength: time.Duration(heats) * heat, Rate: rate, Stock: true},
	}
}

func fourApps() map[string]generated.Race { return races(4, 150*time.Second, 4, 100) }

// BenchmarkFirstLoad: 4 apps, 12 measures, 10 minutes at 1 s, one query to a data source that has seen nothing yet; Prometheus has a process of its
// own, whose work is in ms-median and cpu-ms. In turn with it the same requests are sent to Prometheus by a plain HTTP client that throws the answers
// away: x-prometheus is how much longer the data source takes (the median of pairs), x-prometheus-cpu how much more of the CPU both processes
// together (of all loads, since a process's CPU is told in hundredths of a second). That client asks as Go's does by itself, for compressed answers;
// x-uncompressed and x-uncompressed-cpu compare with one that wants them plain. ns/op is of all three.
func BenchmarkFirstLoad(b *testing.B) {
	defer gctuner.Roomy(plugin.RoomyHeap)() // as its main does
	for name, r := range fourApps() {
		b.Run(name, func(b *testing.B) {
			prom := generated.PrometheusApart(b, r)
			requests, address := countRequests(b, prom.URL)
			load(b, open(b, address), panel(r, time.Second, twelve()...), 48)
			list := requests.take()
			sayLoad(b)
			var own, alone, uncompressed []spent
			ways := []func(){
				func() {
					own = append(own, measure(b, func() { load(b, open(b, prom.URL), panel(r, time.Second, twelve()...), 48) }, prom.PID))
				},
				func() {
					alone = append(alone, measure(b, func() { replay(b, false, prom.URL, list) }, prom.PID))
				},
				func() {
					uncompressed = append(uncompressed, measure(b, func() { replay(b, true, prom.URL, list) }, prom.PID))
				},
			}
			for b.Loop() {
				rand.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
				for _, way := range ways {
					way()
				}
			}
			report(b, own)
			beside(b, "x-prometheus", own, alone)
			beside(b, "x-uncompressed", own, uncompressed)
			b.ReportMetric(float64(len(list)), "requests/op")
		})
	}
}

// BenchmarkDashboard: the same as twelve panels that are loaded at once.
func BenchmarkDashboard(b *testing.B) {
	for name, r := range fourApps() {
		b.Run(name, func(b *testing.B) {
			prom := generated.Prometheus(b, r)
			requests, address := countRequests(b, prom.URL())
			loadTogether(b, open(b, address), r, time.Second)
			list := requests.take()
			sayLoad(b)
			for b.Loop() {
				loadTogether(b, open(b, prom.URL()), r, time.Second)
			}
			b.ReportMetric(float64(len(list)), "requests/op")
		})
	}
}

// BenchmarkSecondLook: the same race again, which is over; Prometheus is not asked.
func BenchmarkSecondLook(b *testing.B) {
	r := fourApps()["own"]
	requests, address := countRequests(b, generated.Prometheus(b, r).URL())
	d := open(b, address)
	load(b, d, panel(r, time.Second, twelve()...), 48)
	requests.take()
	sayLoad(b)
	b.ReportAllocs()
	for b.Loop() {
		load(b, d, panel(r, time.Second, twelve()...), 48)
	}
	require.Empty(b, requests.take())
}

// BenchmarkHundredApps: 100 apps, 12 measures, 1 hour of a push a second, at the 5 s that Grafana asks for with 1,000 points, by the data source's own
// binary over gRPC; Prometheus has a process of its own, too. peak-MB is the highest resident memory of the data source's process, s-median the time
// until its answer is read, cpu-s the CPU of all. One load is one new process of the data source. s-prometheus and cpu-s-prometheus are those of a
// plain HTTP client with the same requests.
func BenchmarkHundredApps(b *testing.B) {
	const step = 5 * time.Second
	for name, r := range races(100, 10*time.Minute, 6, 10) {
		b.Run(name, func(b *testing.B) {
			prom := generated.PrometheusApart(b, r)
			requests, address := countRequests(b, prom.URL)
			load(b, open(b, address), panel(r, step, twelve()...), 1200)
			list := requests.take()
			query := panel(r, step, twelve()...).Queries[0]
			sayLoad(b)
			var peak, took, used, plain, plainCPU []float64
			for b.Loop() {
				b.StopTimer()
				started := startBinary(b)
				raw, err := started.protocol.Dispense("data")
				require.NoError(b, err)
				var answered *pluginv2.QueryDataResponse
				asking := &pluginv2.QueryDataRequest{
					PluginContext: &pluginv2.PluginContext{OrgId: 1, PluginId: plugin.ID, DataSourceInstanceSettings: &pluginv2.DataSourceInstanceSettings{
						Uid: "p", Url: prom.URL, JsonData: []byte(`{"timeout":120}`), LastUpdatedMS: 1,
					}},
					Queries: []*pluginv2.DataQuery{{
						RefId: "A", Json: query.JSON, MaxDataPoints: 1000, IntervalMS: step.Milliseconds(),
						TimeRange: &pluginv2.TimeRange{FromEpochMS: r.Start.UnixMilli(), ToEpochMS: r.End().UnixMilli()},
					}},
				}
				b.StartTimer()
				own := measure(b, func() {
					answered, err = raw.(grpcplugin.DataClient).QueryData(b.Context(), asking, grpc.MaxCallRecvMsgSize(1<<30)) // Grafana sets no limit either
				}, prom.PID, started.pid)
				b.StopTimer()
				require.NoError(b, err)
				took, used = append(took, own.wall.Seconds()), append(used, own.cpu.Seconds())
				response, err := backend.FromProto().QueryDataResponse(answered)
				require.NoError(b, err)
				require.NoError(b, response.Responses["A"].Error)
				require.Len(b, response.Responses["A"].Frames, 1200)
				peak = append(peak, peakMB(b, started.pid))
				alone := measure(b, func() { replay(b, false, prom.URL, list) }, prom.PID)
				plain, plainCPU = append(plain, alone.wall.Seconds()), append(plainCPU, alone.cpu.Seconds())
				b.StartTimer()
			}
			b.ReportMetric(slices.Max(peak), "peak-MB")
			b.ReportMetric(middle(took), "s-median")
			b.ReportMetric(middle(used), "cpu-s")
			b.ReportMetric(middle(plain), "s-prometheus")
			b.ReportMetric(middle(plainCPU), "cpu-s-prometheus")
		})
	}
}

// BenchmarkLookup: where and when a race of 100 apps and an hour lies, from its series alone; Prometheus's work is in it.
func BenchmarkLookup(b *testing.B) {
	r := races(100, 10*time.Minute, 6, 10)["own"]
	prom, err := promql.New(promql.Config{URL: generated.Prometheus(b, r).URL()})
	require.NoError(b, err)
	sayLoad(b)
	var took []spent
	for b.Loop() {
		took = append(took, measure(b, func() {
			found, _, err := compare.Lookup(b.Context(), prom, r.ID, compare.Window{Start: r.Start, End: r.End()})
			require.NoError(b, err)
			require.Len(b, found.Heats, 6)
		}))
	}
	report(b, took)
}

// inFlight is how many requests the data source has under way at once.
const inFlight = 8

// replay sends requests over connections of their own, as a data source does that has seen nothing yet, and throws the answers away. plain asks for
// answers that are not compressed, as the data source does of a Prometheus that is near.
func replay(b *testing.B, plain bool, address string, list []asked) {
	b.Helper()
	connections := &http.Transport{DisableCompression: plain, MaxIdleConnsPerHost: inFlight}
	defer connections.CloseIdleConnections()
	client := &http.Client{Transport: connections}
	var group errgroup.Group
	group.SetLimit(inFlight)
	for _, one := range list {
		group.Go(func() error {
			resp, err := client.Post(address+one.path, "application/x-www-form-urlencoded", strings.NewReader(one.form))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	}
	require.NoError(b, group.Wait())
}

// spent is what something took, the CPU that of several processes.
type spent struct{ wall, cpu time.Duration }

// measure counts the CPU of this process and of others.
func measure(b *testing.B, f func(), others ...int) spent {
	b.Helper()
	began, before := time.Now(), cpu(b, others)
	f()
	return spent{time.Since(began), cpu(b, others) - before}
}

// cpu is what this process and others have used in all; what others have is known to a hundredth of a second.
func cpu(b *testing.B, others []int) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	sum := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, pid := range others {
		const tick = time.Second / 100
		sum += time.Duration(cpuTicks(b, pid)) * tick
	}
	return sum
}

// report tells the median time and the mean CPU.
func report(b *testing.B, list []spent) {
	b.Helper()
	var wall []float64
	for _, s := range list {
		wall = append(wall, s.wall.Seconds()*1000)
	}
	b.ReportMetric(middle(wall), "ms-median")
	b.ReportMetric(allCPU(list).Seconds()*1000/float64(len(list)), "cpu-ms")
}

// beside tells the median of the ratios of pairs in time, and the ratio of all CPU.
func beside(b *testing.B, unit string, own, other []spent) {
	b.Helper()
	var longer []float64
	for i, s := range own {
		longer = append(longer, s.wall.Seconds()/other[i].wall.Seconds())
	}
	b.ReportMetric(middle(longer), unit)
	b.ReportMetric(allCPU(own).Seconds()/allCPU(other).Seconds(), unit+"-cpu")
}

func allCPU(list []spent) (sum time.Duration) {
	for _, s := range list {
		sum += s.cpu
	}
	return sum
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// peakMB is the highest resident memory of a process.
func peakMB(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	require.True(b, ok)
	var kB float64
	_, err = fmt.Sscan(rest, &kB)
	require.NoError(b, err)
	return kB / 1024
}

// cpuTicks is what a process has used of the CPU in all, in clock ticks.
func cpuTicks(b *testing.B, pid int) (ticks int) {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	_, rest, ok := strings.Cut(string(stat), ") ") // behind the command's name
	require.True(b, ok)
	const user, system = 11, 12
	fields := strings.Fields(rest)
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.Atoi(field)
		require.NoError(b, err)
		ticks += n
	}
	return ticks
}

// sayLoad logs the load average, so that a figure taken on a busy machine is known for one.
func sayLoad(b *testing.B) {
	b.Helper()
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		b.Logf("load average: %s", strings.TrimSpace(string(text)))
	}
}
