// What a k6 without our extension needs to run a heat: the phase of every iteration by the clock, arrivals spread within their ticks, and the
// lane's turns. Times are ms.
import exec from 'k6/execution';
import http from 'k6/http';
import { sleep } from 'k6';

// longestWait caps how long an arrival waits within its tick, so that a lane with a low rate does not begin seconds late.
const longestWait = 1000;
// idle is how long an iteration without load lasts when the scenario should have ended already, so that it does not spin.
const idle = 20;

// raceStart asks the runner when the race begins. The runner answers when every k6 of the heat has asked: with the time, or on another machine,
// whose clock may be another, with how long it is from now, which begins with a sign.
export function raceStart(address) {
  const answer = http.get(address, { timeout: '180s', responseType: 'text', tags: { name: 'the start of the race' } });
  if (answer.status !== 200) {
    throw new Error(`k6 cannot ask the runner when the race begins (${answer.error || answer.status}): it must reach the runner's network`);
  }
  return answer.body.startsWith('+') || answer.body.startsWith('-') ? Date.now() + Number(answer.body) : Number(answer.body);
}

// arrive begins an iteration: it waits for its moment and tags what follows with the phase. It is false when the lane's load is over.
export function arrive(plans, start) {
  const plan = plans[exec.scenario.name];
  if (plan === undefined) return true;
  const go = plan.closed ? join(plan, start) : spread(plan, start);
  exec.vu.metrics.tags.phase = Date.now() < start ? 'warmup' : 'race';
  return go;
}

// spread waits a random part of the tick that k6 has begun, but not beyond the lane's turn.
function spread(plan, start) {
  if (plan.even) return true;
  const now = Date.now();
  const rate = rateAt(plan, now - exec.scenario.startTime);
  const end = endOfTurn(plan, now - start);
  if (rate > 0 && end !== undefined) sleep((Math.random() * Math.min(1000 / rate, longestWait, end - (now - start))) / 1000);
  return true;
}

// Short turns make thousands of stages and ends, and time only goes on: both are looked up from where the VU found the last one.

// endOfTurn is when the lane's turn ends that is under way, or the next one's; undefined after the last.
function endOfTurn(plan, at) {
  plan.turn = plan.turn || 0;
  while (plan.turn < plan.ends.length && plan.ends[plan.turn] <= at) plan.turn += 1;
  return plan.ends[plan.turn];
}

// rateAt is the rate per second so long after the scenario's start.
function rateAt(plan, since) {
  plan.found = plan.found || { stage: 0, begin: 0, rate: plan.rate };
  const found = plan.found;
  for (; found.stage < plan.stages.length; found.stage += 1) {
    const [lasts, target] = plan.stages[found.stage];
    if (since < found.begin + lasts) return found.rate + ((target - found.rate) * (since - found.begin)) / lasts;
    found.begin += lasts;
    found.rate = target;
  }
  return found.rate;
}

// join lets a closed model run in its lane's turns only.
function join(plan, start) {
  for (;;) {
    const at = Date.now() - start;
    if (at < 0) return true;
    const block = plan.blocks.find(([, end]) => at < end);
    if (block === undefined) {
      sleep(Math.max(idle, plan.lasts - (Date.now() - exec.scenario.startTime)) / 1000);
      return false;
    }
    if (at >= block[0]) return true;
    sleep((block[0] - at) / 1000);
  }
}

// report tells the runner what k6 counted for each lane, as the first line of what k6 prints, and then what the script's own summary prints.
export function report(marker, data, own) {
  const counted = {};
  for (const name of Object.keys(data.metrics)) {
    if (name.includes('{') || data.metrics[name].thresholds) counted[name] = data.metrics[name];
  }
  const line = `${marker}${JSON.stringify(counted)}\n`;
  if (data.setup_data) data.setup_data = data.setup_data.user;
  const add = (said) => {
    const files = Object.keys(said || {}).filter((to) => to !== 'stdout' && to !== 'stderr');
    if (files.length > 0) console.warn(`handleSummary: a k6 in a container writes no files: ${files.join(', ')}`);
    return { stdout: line + ((said && said.stdout) || ''), stderr: (said && said.stderr) || '' };
  };
  try {
    const said = own ? own(data) : {};
    return said && typeof said.then === 'function' ? said.then(add, (err) => { console.error(`handleSummary: ${err}`); return add({}); }) : add(said);
  } catch (err) {
    console.error(`handleSummary: ${err}`);
    return add({});
  }
}
