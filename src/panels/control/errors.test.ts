import { expect, it } from 'vitest';

import { errorsOf } from './errors';

const problem = (field?: string) => ({ message: 'heats is 0', hint: 'ask for more', code: 'invalid', field });

it('a problem stands at the field that caused it', () => {
  expect(errorsOf(problem('heats'))).toEqual({ at: { heats: 'Heats is 0. Ask for more.' } });
  expect(errorsOf(problem('load.rate')).at).toHaveProperty('load.rate');
  expect(errorsOf(problem('lanes.control.cpus')).at).toHaveProperty('lanes');
});

it('else above the button', () => {
  expect(errorsOf(problem('engine'))).toEqual({ at: {}, general: 'Heats is 0. Ask for more.' });
  expect(errorsOf(problem())).toEqual({ at: {}, general: 'Heats is 0. Ask for more.' });
  expect(errorsOf(undefined)).toEqual({ at: {} });
});
