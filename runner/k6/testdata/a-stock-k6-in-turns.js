// Written by photofinish for heat 3 of race r1. The script itself is not changed.
import { arrive, raceStart, report } from './stock.js';
import * as user from "file:///user/script.js";
export * from "file:///user/script.js";

export const options = {
  "scenarios": {
    "01-b-closed": {
      "duration": "13.3s",
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "constant-vus",
      "gracefulStop": "10s",
      "tags": {
        "app": "b"
      },
      "vus": 2
    },
    "01-b-late": {
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "ramping-arrival-rate",
      "gracefulStop": "10s",
      "maxVUs": 3,
      "preAllocatedVUs": 3,
      "stages": [
        {
          "duration": "2s",
          "target": 10000
        },
        {
          "duration": "0s",
          "target": 0
        },
        {
          "duration": "2s",
          "target": 0
        },
        {
          "duration": "2.2s",
          "target": 0
        },
        {
          "duration": "0s",
          "target": 10000
        },
        {
          "duration": "1s",
          "target": 10000
        },
        {
          "duration": "0s",
          "target": 0
        },
        {
          "duration": "1s",
          "target": 0
        }
      ],
      "startRate": 10000,
      "tags": {
        "app": "b"
      },
      "timeUnit": "16m40s"
    },
    "01-b-open": {
      "env": {
        "APP_URL": "http://localhost:2/b"
      },
      "exec": "pf_default",
      "executor": "ramping-arrival-rate",
      "gracefulStop": "10s",
      "maxVUs": 41,
      "preAllocatedVUs": 26,
      "stages": [
        {
          "duration": "2s",
          "target": 10000
        },
        {
          "duration": "2s",
          "target": 70000
        },
        {
          "duration": "0s",
          "target": 0
        },
        {
          "duration": "2.2s",
          "target": 0
        },
        {
          "duration": "0s",
          "target": 70000
        },
        {
          "duration": "1s",
          "target": 100000
        },
        {
          "duration": "1s",
          "target": 0
        }
      ],
      "startRate": 10000,
      "tags": {
        "app": "b"
      },
      "timeUnit": "16m40s"
    },
    "02-a-closed": {
      "duration": "13.3s",
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
      "executor": "constant-vus",
      "gracefulStop": "10s",
      "tags": {
        "app": "a"
      },
      "vus": 2
    },
    "02-a-late": {
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
      "executor": "ramping-arrival-rate",
      "gracefulStop": "10s",
      "maxVUs": 3,
      "preAllocatedVUs": 3,
      "stages": [
        {
          "duration": "2s",
          "target": 10000
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
          "duration": "2s",
          "target": 0
        },
        {
          "duration": "2.2s",
          "target": 0
        },
        {
          "duration": "0s",
          "target": 10000
        },
        {
          "duration": "1s",
          "target": 10000
        },
        {
          "duration": "0s",
          "target": 0
        },
        {
          "duration": "1s",
          "target": 0
        }
      ],
      "startRate": 10000,
      "tags": {
        "app": "a"
      },
      "timeUnit": "16m40s"
    },
    "02-a-open": {
      "env": {
        "APP_URL": "http://localhost:1/a"
      },
      "exec": "pf_default",
      "executor": "ramping-arrival-rate",
      "gracefulStop": "10s",
      "maxVUs": 41,
      "preAllocatedVUs": 26,
      "stages": [
        {
          "duration": "2s",
          "target": 10000
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
          "duration": "0s",
          "target": 10000
        },
        {
          "duration": "2s",
          "target": 70000
        },
        {
          "duration": "0s",
          "target": 0
        },
        {
          "duration": "2.2s",
          "target": 0
        },
        {
          "duration": "0s",
          "target": 70000
        },
        {
          "duration": "1s",
          "target": 100000
        },
        {
          "duration": "1s",
          "target": 0
        }
      ],
      "startRate": 10000,
      "tags": {
        "app": "a"
      },
      "timeUnit": "16m40s"
    }
  },
  "summaryTrendStats": [
    "p(99)",
    "avg",
    "min",
    "max",
    "count"
  ],
  "systemTags": [
    "status",
    "expected_response",
    "scenario"
  ],
  "thresholds": {
    "checks{app:a,phase:race}": [],
    "checks{app:b,phase:race}": [],
    "data_received{app:a,phase:race}": [],
    "data_received{app:b,phase:race}": [],
    "data_sent{app:a,phase:race}": [],
    "data_sent{app:b,phase:race}": [],
    "dropped_iterations{scenario:01-b-closed}": [],
    "dropped_iterations{scenario:01-b-late}": [],
    "dropped_iterations{scenario:01-b-open}": [],
    "dropped_iterations{scenario:02-a-closed}": [],
    "dropped_iterations{scenario:02-a-late}": [],
    "dropped_iterations{scenario:02-a-open}": [],
    "http_req_duration{app:a,phase:race}": [
      "p(95)\u003c200"
    ],
    "http_req_duration{app:b,phase:race}": [
      "p(95)\u003c200"
    ],
    "http_req_failed{app:a,phase:race}": [],
    "http_req_failed{app:b,phase:race}": [],
    "http_reqs{app:a,phase:race}": [],
    "http_reqs{app:b,phase:race}": [],
    "iterations{app:a,phase:race}": [],
    "iterations{app:b,phase:race}": []
  }
};

// When which scenario gives its lane load.
const plans = {"01-b-closed":{"closed":true,"blocks":[[0,2000],[4200,6200]],"lasts":13300},"01-b-late":{"rate":10,"stages":[[2000,10],[0,0],[2000,0],[2200,0],[0,10],[1000,10],[0,0],[1000,0]],"ends":[2000,6200]},"01-b-open":{"rate":10,"stages":[[2000,10],[2000,70],[0,0],[2200,0],[0,70],[1000,100],[1000,0]],"ends":[2000,6200]},"02-a-closed":{"closed":true,"blocks":[[2100,4100],[6300,8300]],"lasts":13300},"02-a-late":{"rate":10,"stages":[[2000,10],[0,0],[2100,0],[2000,0],[2200,0],[0,10],[1000,10],[0,0],[1000,0]],"ends":[0,4100,8300]},"02-a-open":{"rate":10,"stages":[[2000,10],[0,0],[2100,0],[0,10],[2000,70],[0,0],[2200,0],[0,70],[1000,100],[1000,0]],"ends":[0,4100,8300]}};
const user_pf_default = user["default"];
export function pf_default(data) { return arrive(plans, data.start) ? user_pf_default(data.user) : undefined; }

// The last that happens before the load: the runner says when the race begins.
export async function setup() {
  const prepare = undefined;
  const data = typeof prepare === 'function' ? await prepare() : undefined;
  return { user: data, start: raceStart("http://127.0.0.1:9/start") };
}
export async function teardown(data) {
  if (typeof user.teardown === 'function') await user.teardown(data.user);
}
export function handleSummary(data) { return report("photofinish-summary ", data, user.handleSummary); }
