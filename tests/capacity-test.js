// How much load two apps hold (see docs/capacity.md):
//
//   photofinish race tests/capacity-test.js
//
// Both serve a request in 10 ms, one with two workers and one with three, so theory says 200 and 300 requests a second. The search starts at the rate below; what
// find_capacity says must be kept for a rate to be held. They wait and do not work, so they may be raced together on any machine.
import http from 'k6/http';

const lane = (port, workers) => ({
  command: ['limited'], image: 'photofinish/limited', port, path: '/limited', env: { WORKERS: `${workers}`, SERVICE: '10ms', QUEUE: '200' }, cpus: 0.5, memory: '128m',
});

export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 100, timeUnit: '1s', duration: '5s', preAllocatedVUs: 50 } },
  ext: {
    photofinish: {
      find_capacity: 'latency_p95<60,error_rate<0.01', baseline: 'two-workers', warmup: '1s', mode: 'together',
      lanes: { 'two-workers': lane(4004, 2), 'three-workers': lane(4005, 3) },
    },
  },
};

export default function () {
  http.get(__ENV.APP_URL);
}
