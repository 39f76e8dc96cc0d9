import { expect, it } from 'vitest';

import { Press } from './press';

const counting = () => {
  let n = 0;
  return new Press(() => `key ${++n}`);
};

it('a second press before the answer is the same race', () => {
  const press = counting();
  expect(press.keyFor('a')).toBe('key 1');
  expect(press.keyFor('a')).toBe('key 1');
});

it('after an answer the same request is another race', () => {
  const press = counting();
  press.keyFor('a');
  press.answered();
  expect(press.keyFor('a')).toBe('key 2');
});

it('another request is another race', () => {
  const press = counting();
  press.keyFor('a');
  expect(press.keyFor('b')).toBe('key 2');
});

it('keys are random and short enough for the runner', () => {
  const keys = [new Press(), new Press()].map((press) => press.keyFor('a'));
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys[0]).not.toBe(keys[1]);
});
