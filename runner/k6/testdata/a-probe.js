// Written by photofinish for a probe of race r1. The script itself is not changed.
import { reads } from './environment.js';
import * as photofinish from 'k6/x/photofinish';
import * as user from "file:///user/script.js";
export * from "file:///user/script.js";

export const options = {
  "scenarios": {
    "01-b-load": {
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_my_flow",
      "executor": "per-vu-iterations",
      "gracefulStop": "0s",
      "iterations": 1,
      "maxDuration": "1m0s",
      "tags": {
        "app": "b"
      },
      "vus": 1
    },
    "02-a-load": {
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_my_flow",
      "executor": "per-vu-iterations",
      "gracefulStop": "0s",
      "iterations": 1,
      "maxDuration": "1m0s",
      "tags": {
        "app": "a"
      },
      "vus": 1
    }
  },
  "systemTags": [
    "status",
    "expected_response",
    "url"
  ]
};

// arrive() tags the iteration with its phase; it is false when the lane's load is over.
const arrive = photofinish.arrive;
const user_pf_my_flow = user["my-flow"];
export function pf_my_flow(data) { return arrive() ? user_pf_my_flow(data) : undefined; }

// A lane's addresses are set for the scenarios only: a probe tells whether anything else needs them.
const watched = async (name, fn, data) => {
  if (typeof fn !== 'function') return undefined;
  reads.length = 0;
  try {
    return await fn(data);
  } finally {
    if (reads.some((name) => ['APP_URL', 'QUEUE_URL', 'REPLY_URL', '*'].includes(name))) console.warn("photofinish: APP_URL was read by " + name);
  }
};
export async function setup() { return await watched('setup', user.setup); }
export async function teardown(data) { return await watched('teardown', user.teardown, data); }
export const handleSummary = () => ({});
