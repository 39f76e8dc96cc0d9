import { asList, asRecord, asText } from '../shared/json';
import { type Problem, sentence, sentenceOf } from '../shared/problem';

/** One part of the set-up: whether it is there, and if not what to do. */
export interface Check {
  name: string;
  /** A part that is wanting keeps something from working; advice does not. */
  state: 'ok' | 'wanting' | 'advice';
  message: string;
}

/** Reads the parts of the data source's health check. An answer without parts is of a Grafana that could not ask it. */
export function readHealth(answer: unknown): Check[] {
  const health = asRecord(answer);
  const parts = asList(asRecord(health.details).parts).map(asRecord);
  if (parts.length === 0) {
    const message = asText(health.message) || 'The data source could not be asked; look into the log of Grafana.';
    return [{ name: 'data source', state: 'wanting', message: sentence(message) }];
  }
  return parts.map((part) => ({
    name: asText(part.name),
    state: part.ok === true ? 'ok' : part.required === true ? 'wanting' : 'advice',
    message: sentence(asText(part.message)),
  }));
}

/** What the health check does not look at: whether there is a runner at all, and what this user may do with it. */
export function readPermissions(capabilities: unknown, healthy: readonly Check[]): Check[] {
  const can = asRecord(capabilities);
  const checks: Check[] = [];
  const runner = healthy.find(({ name }) => name === 'runner');
  if (!runner && can.runner === false) {
    const message =
      'None is configured: races are shown, and not started. Enter the address of “photofinish serve” in the data source’s settings.';
    checks.push({ name: 'runner', state: 'advice', message });
  }
  if (can.runner === true && runner?.state !== 'wanting') {
    const may = can.canStart === true;
    checks.push({
      name: 'permissions',
      state: may ? 'ok' : 'advice',
      message: may ? 'You may start and stop races.' : sentence(asText(can.reason)),
    });
  }
  return checks;
}

export function failed(problem: Problem): Check {
  return { name: 'data source', state: 'wanting', message: sentenceOf(problem) };
}
