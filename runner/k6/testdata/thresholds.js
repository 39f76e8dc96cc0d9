// Written by photofinish for heat 3 of race r1. The script itself is not changed.
import * as photofinish from 'k6/x/photofinish';
import * as user from "file:///user/script.js";
export * from "file:///user/script.js";

export const options = {
  "scenarios": {
    "01-b-default": {
      "arrivals": "poisson",
      "duration": "9s",
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "photofinish-arrivals",
      "gracefulStop": "10s",
      "maxVUs": 51,
      "preAllocatedVUs": 14,
      "rate": 50,
      "tags": {
        "app": "b"
      }
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
    "http_req_duration{app:b,phase:race}": [
      "p(95)\u003c200",
      "p(99)\u003c300"
    ],
    "http_req_failed{app:b,phase:race,group:::login}": [
      "rate\u003c0.1"
    ],
    "http_req_failed{app:b,phase:race}": [],
    "http_reqs{app:b,phase:race}": [],
    "vus": [
      "value\u003e0"
    ]
  }
};

// arrive() tags the iteration with its phase; it is false when the lane's load is over.
const arrive = photofinish.arrive;
const user_pf_default = user["default"];
export function pf_default(data) { return arrive() ? user_pf_default(data) : undefined; }

// Without a summary of the script's own nothing is to be printed.
export const handleSummary = user.handleSummary || (() => ({}));
