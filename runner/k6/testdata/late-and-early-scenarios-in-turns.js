// Written by photofinish for heat 3 of race r1. The script itself is not changed.
import * as photofinish from 'k6/x/photofinish';
import * as user from "file:///user/script.js";
export * from "file:///user/script.js";

export const options = {
  "scenarios": {
    "01-b-early": {
      "duration": "3s",
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "constant-vus",
      "gracefulStop": "10s",
      "tags": {
        "app": "b"
      },
      "vus": 1
    },
    "01-b-late": {
      "arrivals": "poisson",
      "duration": "13.3s",
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "photofinish-arrivals",
      "gracefulStop": "10s",
      "maxVUs": 3,
      "preAllocatedVUs": 3,
      "rate": 0,
      "stages": [
        {
          "duration": "3s",
          "target": 0
        },
        {
          "duration": "0s",
          "target": 10
        }
      ],
      "tags": {
        "app": "b"
      }
    },
    "02-a-early": {
      "duration": "5.1s",
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
      "executor": "constant-vus",
      "gracefulStop": "10s",
      "tags": {
        "app": "a"
      },
      "vus": 1
    },
    "02-a-late": {
      "arrivals": "poisson",
      "duration": "13.3s",
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
      "executor": "photofinish-arrivals",
      "gracefulStop": "10s",
      "maxVUs": 3,
      "preAllocatedVUs": 3,
      "rate": 0,
      "stages": [
        {
          "duration": "3s",
          "target": 0
        },
        {
          "duration": "0s",
          "target": 10
        }
      ],
      "tags": {
        "app": "a"
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
    "http_req_failed{app:a,phase:race}": [],
    "http_req_failed{app:b,phase:race}": [],
    "http_reqs{app:a,phase:race}": [],
    "http_reqs{app:b,phase:race}": []
  }
};

// arrive() tags the iteration with its phase; it is false when the lane's load is over.
const arrive = photofinish.arrive;
const user_pf_default = user["default"];
export function pf_default(data) { return arrive() ? user_pf_default(data) : undefined; }

// Without a summary of the script's own nothing is to be printed.
export const handleSummary = user.handleSummary || (() => ({}));
