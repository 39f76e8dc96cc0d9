import { describe, expect, it } from 'vitest';

import { made, only, recorded } from '../testdata/frames';
import { csvOf, markdownOf, posterOf } from './export';
import { readFinishes } from './finish';

const finish = only(readFinishes(recorded.race));

describe('CSV', () => {
  it('has a row for each app and percentile', () => {
    const [head, first, ...rows] = csvOf(finish).trimEnd().split('\r\n');
    expect(head).toBe('race,app,percentile,latency_ms,ratio,low,high');
    expect(first).toMatch(/^ab-20261125-071353-b06e,control,1,0\.\d+,,,$/);
    expect(rows).toHaveLength(4 * 21 - 1);
  });

  it('keeps names from being formulas or cells of their own', () => {
    const text = csvOf(only(readFinishes(made(['base', '=1+2', 'a,"b"']))));
    expect(text).toContain("'=1+2,");
    expect(text).toContain('"a,""b""",');
  });
});

describe('Markdown', () => {
  it('says the result, the percentiles and the audit', () => {
    const text = markdownOf(finish);
    expect(text).toMatch(/^### Race ab \(ab-/);
    expect(text).toMatch(/- ✗ high-latency is slower than control: p95 × /);
    expect(text).toMatch(/\| control \| .* ms \| .* ms \| .* ms \| baseline \|/);
    expect(text).toContain('- warning `no-audit`: known from Prometheus only');
  });

  it('says first that a race was not fair', () => {
    expect(markdownOf(only(readFinishes(recorded.unfair))).split('\n')[2]).toMatch(/^\*\*not fair, so nothing was decided/);
  });

  it('lets no name break the table', () => {
    expect(markdownOf(only(readFinishes(made(['base', 'a|b\nc'])))).split('\n')).toContainEqual(expect.stringMatching(/^\| a\\\|b c \|/));
  });
});

describe('the picture', () => {
  const look = { width: 600, background: '#fff', text: '#000', soft: '#666', font: 'Inter, "Helvetica"' };

  it('is one SVG of the sentences and the pictures below', () => {
    const { markup, height } = posterOf({ ...look, finish, pictures: [{ title: 'Latency', markup: '<svg id="one"/>', height: 200 }] });
    const parsed = new DOMParser().parseFromString(markup, 'image/svg+xml');
    expect(parsed.querySelector('parsererror')).toBeNull();
    expect(parsed.querySelectorAll('text').length).toBeGreaterThan(4);
    expect(parsed.querySelector('#one')).not.toBeNull();
    expect(height).toBeGreaterThan(300);
  });

  it('runs nothing that a name holds', () => {
    const hostile = '<script>alert(1)</script>';
    const { markup } = posterOf({ ...look, finish: only(readFinishes(made(['base', hostile]))), pictures: [] });
    expect(new DOMParser().parseFromString(markup, 'image/svg+xml').querySelector('script')).toBeNull();
  });
});
