// Numbers and words as terminal and report.html write them (pkg/measure, pkg/scoreboard).

/** Three significant digits, and never fewer than the whole part has. */
export function digits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) {
    return String(value);
  }
  const rounded = Number(value.toPrecision(3));
  const whole = Math.floor(Math.log10(Math.abs(rounded))) + 1;
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : rounded.toFixed(Math.min(6, Math.max(0, 3 - whole)));
}

/** A latency for people. */
export function duration(ms: number): string {
  const shown = Number(ms.toPrecision(3));
  if (shown >= 10_000) {
    return `${digits(ms / 1000)} s`;
  }
  return shown < 0.1 ? `${digits(ms * 1000)} µs` : `${digits(ms)} ms`;
}

/** A latency at an axis: as short as can be. */
export function shortDuration(ms: number): string {
  const short = (value: number) => String(Number(value.toPrecision(3)));
  if (ms >= 1000) {
    return `${short(ms / 1000)} s`;
  }
  return ms < 0.01 ? `${short(ms * 1000)} µs` : `${short(ms)} ms`;
}

export function shareOf(share: number): string {
  const percent = 100 * share;
  if (percent < 0.1 || percent > 99.9) {
    return percent < 50 ? '< 0.1%' : '> 99.9%';
  }
  return `${percent.toFixed(1)}%`;
}

const marks: Record<string, string> = { faster: '✓', slower: '✗', same: '=', inconclusive: '?' };

/** One sign for an outcome, for those who do not see the colours. */
export function markOf(outcome: string): string {
  return marks[outcome] ?? '';
}

export function percentileName(percentile: number): string {
  return `p${percentile}`;
}

const segmenter = new Intl.Segmenter();

/** A name in at most so many letters, an emoji of several code points being one. */
export function shorten(name: string, letters: number): string {
  const all = [...segmenter.segment(name)].map(({ segment }) => segment);
  return all.length <= letters ? name : `${all.slice(0, Math.max(1, letters - 1)).join('')}…`;
}

/** A text in lines of at most so many letters, broken between words where it can be. */
export function lines(text: string, letters: number): string[] {
  const out: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const parts = word.length > letters ? (word.match(new RegExp(`.{1,${letters}}`, 'gu')) ?? []) : [word];
    for (const part of parts) {
      if (line !== '' && line.length + 1 + part.length > letters) {
        out.push(line);
        line = '';
      }
      line = line === '' ? part : `${line} ${part}`;
    }
  }
  return line === '' ? out : [...out, line];
}
