// Written by photofinish for heat 3 of race r1. The script itself is not changed.
import * as photofinish from 'k6/x/photofinish';
import * as user from "file:///user/script.js";
export * from "file:///user/script.js";

export const options = {
  "scenarios": {
    "01-b-closed": {
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "ramping-vus",
      "gracefulRampDown": "1s",
      "gracefulStop": "10s",
      "stages": [
        {
          "duration": "2s",
          "target": 8
        },
        {
          "duration": "0s",
          "target": 0
        },
        {
          "duration": "4.2s",
          "target": 8
        },
        {
          "duration": "4.1s",
          "target": 1
        },
        {
          "duration": "3s",
          "target": 1
        }
      ],
      "startVUs": 8,
      "tags": {
        "app": "b"
      }
    },
    "01-b-open": {
      "arrivals": "poisson",
      "duration": "13.3s",
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "photofinish-arrivals",
      "gracefulStop": "10s",
      "maxVUs": 41,
      "preAllocatedVUs": 26,
      "rate": 10,
      "stages": [
        {
          "duration": "3s",
          "target": 100
        },
        {
          "duration": "1s",
          "target": 0
        }
      ],
      "tags": {
        "app": "b"
      }
    },
    "02-a-closed": {
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
      "executor": "ramping-vus",
      "gracefulRampDown": "1s",
      "gracefulStop": "10s",
      "stages": [
        {
          "duration": "2s",
          "target": 8
        },
        {
          "duration": "0s",
          "target": 0
        },
        {
          "duration": "2.1s",
          "target": 0
        },
        {
          "duration": "4.2s",
          "target": 8
        },
        {
          "duration": "2s",
          "target": 1
        },
        {
          "duration": "3s",
          "target": 1
        }
      ],
      "startVUs": 8,
      "tags": {
        "app": "a"
      }
    },
    "02-a-open": {
      "arrivals": "poisson",
      "duration": "13.3s",
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
      "executor": "photofinish-arrivals",
      "gracefulStop": "10s",
      "maxVUs": 41,
      "preAllocatedVUs": 26,
      "rate": 10,
      "stages": [
        {
          "duration": "3s",
          "target": 100
        },
        {
          "duration": "1s",
          "target": 0
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
