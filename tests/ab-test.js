// Four apps at once. Under a plain k6, with the apps running:
//
//   k6 run --out=experimental-prometheus-rw --tag testid=ab2 ./tests/ab-test.js
//
// and as a race, which starts the apps itself (under 3 minutes on 2 CPUs):
//
//   photofinish race tests/ab-test.js
import http from 'k6/http';
import { check } from 'k6';

const ports = { control: 4000, 'high-latency': 4001, 'high-cpu': 4002, 'memory-leak': 4003 };

const lanes = {};
const scenarios = {};
for (const [app, port] of Object.entries(ports)) {
  lanes[app] = {
    command: [app], image: `photofinish/${app}`, port, path: `/${app}`,
    cpus: 0.5, memory: '128m',
  };
  // The tag `app` says whose load this is. It is what k6's series and the container's are joined by.
  scenarios[app] = {
    executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '4s', preAllocatedVUs: 20,
    tags: { app },
    env: { APP_URL: `http://localhost:${port}/${app}` }, // for a plain k6; a race sets it itself
  };
}

export const options = {
  scenarios,
  thresholds: { http_req_failed: ['rate<0.01'] },
  ext: { photofinish: { baseline: 'control', heats: 8, warmup: '1s', lanes } },
};

export default function () {
  const response = http.get(__ENV.APP_URL);
  check(response, { 'status is 200': (r) => r.status === 200 });
}
