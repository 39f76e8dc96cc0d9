// The race of `go tool mage calibrate`: control against itself, beside a third lane whose truth is known or which burns CPU. 12 heats of 10 s, as by default.
import http from 'k6/http';

const lane = (port, more = {}) => ({ command: ['control'], image: 'photofinish/control', port, path: '/control', cpus: 0.5, memory: '128m', ...more });

export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 200, timeUnit: '1s', duration: '10s', preAllocatedVUs: 20 } },
  ext: {
    photofinish: {
      baseline: 'control',
      lanes: {
        control: lane(30201),
        same: lane(30202),
        slower: lane(30203, { env: { SPIN: '25us' } }),
        burner: { command: ['high-cpu'], image: 'photofinish/high-cpu', port: 30204, path: '/high-cpu', cpus: 0.5, memory: '128m' },
      },
    },
  },
};

export default function () {
  http.get(__ENV.APP_URL);
}
