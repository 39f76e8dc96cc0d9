// Where the CPU and the memory of two apps go, function by function (see docs/profiles.md):
//
//   photofinish race tests/profile-test.js
//   go tool pprof -http : races/<id>/profiles/high-cpu-cpu.pb.gz
//
// After the heats that count, one more is run for the profiles: it is in no measure and no verdict.
import http from 'k6/http';

const lane = (app, port) => ({
  command: [app], image: `photofinish/${app}`, port, path: `/${app}`, cpus: 0.5, memory: '128m',
  profile: { pprof: '/debug/pprof' },
});

export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '5s', preAllocatedVUs: 20 } },
  ext: { photofinish: { baseline: 'control', heats: 6, warmup: '1s', lanes: { control: lane('control', 4000), 'high-cpu': lane('high-cpu', 4002) } } },
};

export default function () {
  http.get(__ENV.APP_URL);
}
