// Two workers take messages from a queue: one by one, or ten at once. A message and its reply are the request, so requests per second are
// messages per second, latency is the time from a message to its reply, and the CPU of the worker is divided by its messages.
//
//   docker compose --profile queues up -d sqs      # or any other server that understands SQS, and its four queues
//   AWS_ENDPOINT_URL=http://127.0.0.1:4100 photofinish race tests/sqs-test.js
//
// docs/queues.md has more.
import sqs from 'k6/x/photofinish/sqs';
import { check } from 'k6';

export const options = {
  scenarios: {
    // Messages per second, for each worker and heat.
    load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '5s', preAllocatedVUs: 20 },
  },
  thresholds: { sqs_failed: ['rate<0.01'] },
  ext: {
    photofinish: {
      baseline: 'one-by-one',
      heats: 8,
      warmup: '1s',
      measures: { sqs_backlog: { title: 'Backlog', unit: 'messages', better: 'lower' } },
      lanes: {
        'one-by-one': {
          command: ['sqs-worker'], compose: '../docker-compose.yaml#one-by-one-worker', // as a process, as a container
          queue: 'one-by-one', //                                   its messages; replies go to one-by-one-replies
          cpus: 0.5, memory: '128m',
        },
        batched: {
          command: ['sqs-worker', '--batched'], compose: '../docker-compose.yaml#batched-worker',
          queue: 'batched',
          cpus: 0.5, memory: '128m',
        },
      },
    },
  },
};

const queues = sqs.connect(); // where AWS_ENDPOINT_URL says, or at Amazon in AWS_REGION

// Read the addresses in the function, not at the top of the file: only here they are those of the lane.
export default function () {
  const reply = queues.request(__ENV.QUEUE_URL, __ENV.REPLY_URL, JSON.stringify({ rounds: 200 }), { timeout: '5s' });
  check(reply, { 'the reply is a hash': (r) => r.body.length === 64 });
}
