// The race of kubernetes-test.js with a load that one machine could not give: four pods of k6 share it out, each on a node without apps, if there are
// enough (docs/kubernetes.md). The cluster needs k6-operator.
//
//   photofinish race tests/kubernetes-pods-test.js --engine kubernetes
import http from 'k6/http';
import { check } from 'k6';

const lane = (app, port) => ({
  image: `photofinish/${app}`, port, path: `/${app}`, health: { path: '/healthz', timeout: '60s' },
  cpus: 0.5, memory: '128m', // requests and limits alike
});

export const options = {
  // Rates and VUs are those of a lane, all pods together.
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 400, timeUnit: '1s', duration: '60s', preAllocatedVUs: 80 } },
  thresholds: { http_req_failed: ['rate<0.01'] },
  ext: { photofinish: {
    baseline: 'control', heats: 6, warmup: '5s',
    k6: { image: 'grafana/k6:1.8.0', pods: 4, cpus: 0.5, memory: '512m' },
    lanes: { control: lane('control', 4000), 'high-latency': lane('high-latency', 4001) },
  } },
};

export default function () {
  const response = http.get(__ENV.APP_URL);
  check(response, { 'status is 200': (r) => r.status === 200 });
}
