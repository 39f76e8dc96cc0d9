// A race whose results go to Grafana Cloud, Mimir or another receiver of remote write, where every time series counts (docs/cloud.md):
//
//   export PHOTOFINISH_REMOTE_WRITE_URL=https://prometheus-prod-01-eu-west-0.grafana.net/api/prom/push
//   export PHOTOFINISH_REMOTE_WRITE_USERNAME=123456 PHOTOFINISH_REMOTE_WRITE_PASSWORD=glc_…
//   photofinish race tests/cloud-test.js
//
// Each order has an address of its own. Without a tag `name` each would be nine series for each heat and lane.
import http from 'k6/http';
import { check } from 'k6';

const lane = (app, port) => ({ command: [app], image: `photofinish/${app}`, port, path: `/${app}`, cpus: 0.5, memory: '128m' });

export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 25, timeUnit: '1s', duration: '5s', preAllocatedVUs: 20 } },
  // The names that thresholds ask for are counted in the estimate that is shown before the start.
  thresholds: {
    'http_req_duration{name:order}': ['p(95)<500'],
    'http_req_duration{name:list}': ['p(95)<500'],
  },
  ext: { photofinish: { baseline: 'control', heats: 6, warmup: '1s', lanes: { control: lane('control', 4000), 'high-latency': lane('high-latency', 4001) } } },
};

export default function () {
  const order = http.get(`${__ENV.APP_URL}?order=${__VU}-${__ITER}`, { tags: { name: 'order' } });
  const list = http.get(__ENV.APP_URL, { tags: { name: 'list' } });
  check(order, { 'the order is there': (r) => r.status === 200 });
  check(list, { 'the list is there': (r) => r.status === 200 });
}
