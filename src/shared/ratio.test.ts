import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { type Ratio, ratioText, timesText } from './ratio';

const said: Array<Ratio & { text: string }> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../pkg/verdict/testdata/ratios.json'), 'utf8')
);

it.each(said)('$ratio in [$low, $high] is $text, as the terminal says', ({ text, ...ratio }) => {
  expect(ratioText(ratio)).toBe(text);
  expect(timesText(ratio)).toBe(text.split(' [')[0]);
});
