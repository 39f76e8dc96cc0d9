import { describe, expect, it } from 'vitest';

import { isFinal, problemOf, sentence, sentenceOf } from './problem';

describe('what went wrong', () => {
  it('is the runner’s word, with the next step and the field', () => {
    const thrown = { status: 400, data: { code: 'invalid', message: 'heats is 0', details: { hint: 'ask for more', field: 'heats' } } };
    expect(problemOf(thrown)).toEqual({ status: 400, code: 'invalid', message: 'heats is 0', hint: 'ask for more', field: 'heats' });
  });

  it('without details is no error', () => {
    expect(problemOf({ status: 404, data: { code: 'not_found', message: 'there is no race', details: null } })).toMatchObject({
      code: 'not_found',
      hint: undefined,
    });
  });

  it('of a data source that was deleted names the next step', () => {
    expect(sentenceOf(problemOf({ status: 404, data: { message: 'Data source not found' } }))).toBe(
      'The data source is not there any more. Choose another one in the options of this panel, or add it again.'
    );
  });

  it('of a user who may not query is Grafana’s own word', () => {
    expect(problemOf({ status: 403, data: { message: 'You’ll need additional permissions' } }).message).toBe(
      'You’ll need additional permissions'
    );
  });

  it('where nothing answered is the network', () => {
    expect(problemOf(new TypeError('Failed to fetch'))).toMatchObject({
      status: undefined,
      message: 'No answer came from Grafana (Failed to fetch)',
    });
    expect(problemOf({ status: 0, data: {} }).status).toBeUndefined();
  });

  it('of a kind that nobody foresaw still has words', () => {
    expect(problemOf(undefined).message).toBe('No answer came from Grafana');
    expect(problemOf({ status: 500, data: 'x' }).message).toBe('Grafana answered 500');
  });
});

it('only an answer of somebody who knows is final', () => {
  const final = (status: number | undefined, code: string) => isFinal({ message: '', status, code });
  expect([final(400, 'invalid'), final(429, 'queue_full'), final(403, 'forbidden'), final(404, '')]).toEqual([true, true, true, true]);
  expect([
    final(undefined, ''),
    final(502, 'runner_unreachable'),
    final(504, ''),
    final(500, ''),
    final(503, 'unavailable'),
    final(408, ''),
  ]).toEqual([false, false, false, false, false, false]);
});

describe('a sentence', () => {
  it('begins with a capital and ends with a stop', () => {
    expect(sentence('the race has no lanes')).toBe('The race has no lanes.');
    expect(sentence('Already one.')).toBe('Already one.');
  });

  it('leaves a name at its start as it is', () => {
    expect(sentence('lanes.new.cpus: this runner does not allow that')).toBe('lanes.new.cpus: this runner does not allow that.');
  });

  it('says the next step once', () => {
    expect(sentenceOf({ message: 'no runner; check that it runs', hint: 'check that it runs' })).toBe('No runner; check that it runs.');
  });
});
