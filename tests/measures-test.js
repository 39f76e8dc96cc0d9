// Measures of your own: a Trend, a Rate and a Counter of k6, and an expression of PromQL. They are compared as the built-in ones are, in
// race.json, verdicts, the report and Grafana (docs/measures.md):
//
//   photofinish race tests/measures-test.js
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';

const checkoutTime = new Trend('checkout_time', true); // true: the values are times, in ms
const checkoutFast = new Rate('checkout_fast');
const itemsSold = new Counter('items_sold');

export const options = {
  scenarios: {
    load: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', duration: '5s', preAllocatedVUs: 20 },
  },
  ext: {
    photofinish: {
      baseline: 'control', heats: 8, warmup: '1s',
      measures: {
        // Time needs no words. Of anything else only you know which way is better.
        checkout_fast: { title: 'Fast checkouts', better: 'higher' },
        items_sold: { title: 'Items sold', better: 'higher' },
        first_byte_p95: {
          title: 'First byte p95', unit: 'ms', better: 'lower',
          expr: '1000 * histogram_quantile(0.95, sum by (app) (rate(k6_http_req_waiting_seconds{testid="$race", phase="race"}[$window])))',
        },
      },
      lanes: {
        control: { command: ['control'], image: 'photofinish/control', port: 4000, path: '/control', cpus: 0.5, memory: '128m' },
        'high-latency': { command: ['high-latency'], image: 'photofinish/high-latency', port: 4001, path: '/high-latency', cpus: 0.5, memory: '128m' },
      },
    },
  },
};

export default function () {
  // A checkout is two requests. The tag `app` is the scenario's: every metric bears it.
  const basket = http.get(__ENV.APP_URL);
  const payment = http.get(__ENV.APP_URL);
  const took = basket.timings.duration + payment.timings.duration;
  checkoutTime.add(took);
  checkoutFast.add(took < 100);
  if (payment.status === 200) {
    itemsSold.add(1 + (__ITER % 3));
  }
}
