// Two apps as pods of a Kubernetes cluster, raced by the k6 of the runner, which runs in the cluster too (docs/kubernetes.md):
//
//   photofinish race tests/kubernetes-test.js --engine kubernetes
//
// Heats are long: the kubelets' cAdvisor counts what a pod spends every ten seconds or so, and a heat is worth as much as it holds of those.
// The images are the sample apps of testapps; push them to where your nodes pull from and write their names here.
import http from 'k6/http';
import { check } from 'k6';

const lane = (app, port) => ({
  image: `photofinish/${app}`, port, path: `/${app}`, health: { path: '/healthz', timeout: '60s' },
  cpus: 0.5, memory: '128m', // requests and limits alike
});

export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 100, timeUnit: '1s', duration: '60s', preAllocatedVUs: 20 } },
  thresholds: { http_req_failed: ['rate<0.01'] },
  ext: { photofinish: {
    baseline: 'control', heats: 6, warmup: '5s',
    lanes: { control: lane('control', 4000), 'high-latency': lane('high-latency', 4001) },
  } },
};

export default function () {
  const response = http.get(__ENV.APP_URL);
  check(response, { 'status is 200': (r) => r.status === 200 });
}
