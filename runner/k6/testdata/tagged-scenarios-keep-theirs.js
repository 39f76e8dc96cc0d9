// Written by photofinish for heat 3 of race r1. The script itself is not changed.
import * as photofinish from 'k6/x/photofinish';
import * as user from "file:///user/script.js";
export * from "file:///user/script.js";

export const options = {
  "scenarios": {
    "01-y": {
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "per-vu-iterations",
      "gracefulStop": "10s",
      "iterations": 9,
      "maxDuration": "9s",
      "tags": {
        "app": "b",
        "site": "x",
        "team": "all"
      },
      "vus": 2
    },
    "02-x": {
      "duration": "6s",
      "env": {
        "APP_URL": "http://localhost:1/a",
        "K": "v"
      },
      "exec": "pf_browse",
      "executor": "constant-vus",
      "gracefulStop": "10s",
      "startTime": "3s",
      "tags": {
        "app": "a",
        "site": "x",
        "team": "own"
      },
      "vus": 2
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
    "expected_response"
  ],
  "thresholds": {
    "http_req_failed{app:a,phase:race}": [],
    "http_req_failed{app:b,phase:race}": [],
    "http_reqs{app:a,phase:race}": [],
    "http_reqs{app:b,phase:race}": []
  },
  "userAgent": "me"
};

// arrive() tags the iteration with its phase; it is false when the lane's load is over.
const arrive = photofinish.arrive;
const user_pf_browse = user["browse"];
export function pf_browse(data) { return arrive() ? user_pf_browse(data) : undefined; }
const user_pf_default = user["default"];
export function pf_default(data) { return arrive() ? user_pf_default(data) : undefined; }

// Without a summary of the script's own nothing is to be printed.
export const handleSummary = user.handleSummary || (() => ({}));
