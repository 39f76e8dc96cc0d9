// One target. Under a plain k6 this is a load test of one app:
//
//   k6 run ./tests/simple-test.js
//   k6 run ./tests/simple-test.js -e APP_URL=http://localhost:4001/high-latency --duration 30s
//
// and the same file is a race of two:
//
//   photofinish race tests/simple-test.js
import http from 'k6/http';
import { check } from 'k6';

export const options = {
  scenarios: {
    // Run once for each lane. Rate, VUs and duration are per lane and heat.
    load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '5s', preAllocatedVUs: 20 },
  },
  thresholds: { http_req_failed: ['rate<0.01'] },
  ext: {
    photofinish: {
      baseline: 'control',
      heats: 8,
      warmup: '1s',
      lanes: {
        control: {
          command: ['control'], image: 'photofinish/control', // how to start it: as a process, as a container
          port: 4000, path: '/control', //                       where it answers: APP_URL is made of these
          cpus: 0.5, memory: '128m', //                          what it may use
        },
        'high-latency': {
          command: ['high-latency'], image: 'photofinish/high-latency',
          port: 4001, path: '/high-latency',
          cpus: 0.5, memory: '128m',
        },
      },
    },
  },
};

// Read APP_URL in the function, not at the top of the file: only here it is the address of the lane.
export default function () {
  const response = http.get(__ENV.APP_URL || 'http://localhost:4000/control');
  check(response, { 'status is 200': (r) => r.status === 200 });
}
