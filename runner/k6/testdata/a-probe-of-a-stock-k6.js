// Written by photofinish for a probe of race r1. The script itself is not changed.
import { reads } from './environment.js';
import * as user from "file:///user/script.js";
export * from "file:///user/script.js";

export const options = {
  "scenarios": {
    "01-b-default": {
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "per-vu-iterations",
      "gracefulStop": "0s",
      "iterations": 1,
      "maxDuration": "1m0s",
      "tags": {
        "app": "b"
      },
      "vus": 1
    },
    "02-a-default": {
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
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
    "proto",
    "subproto",
    "status",
    "method",
    "name",
    "group",
    "check",
    "error",
    "error_code",
    "tls_version",
    "scenario",
    "service",
    "expected_response",
    "url"
  ]
};

const arrive = () => true;
const user_pf_default = user["default"];
export function pf_default(data) { return arrive() ? user_pf_default(data) : undefined; }

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
