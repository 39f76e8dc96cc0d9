import { at, type Entrant, type Finish } from './finish';
import { marked } from './ridges';
import { ratioText } from '../../../shared/ratio';
import { digits, duration, lines, markOf } from './words';

/** What stands in the file but on the screen only as a curve: every percentile of every app. */
export function csvOf({ id, apps }: Finish): string {
  const head = ['race', 'app', 'percentile', 'latency_ms', 'ratio', 'low', 'high'];
  const body = apps.flatMap(({ app, curve, ratios }) =>
    curve.map(({ percentile, ms }) => {
      const ratio = ratios.find((one) => one.percentile === percentile);
      return [id, app, percentile, ms, ratio?.ratio, ratio?.low, ratio?.high];
    })
  );
  return [head, ...body].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** A name that a spreadsheet would take for a formula is kept from it. */
function cell(value: string | number | undefined): string {
  if (typeof value === 'number' || value === undefined) {
    return value === undefined ? '' : String(value);
  }
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The result for a pull request: sentences, the main percentiles, and the audit. */
export function markdownOf(finish: Finish): string {
  const { name, id, baseline, apps, certainty, fairness, findings } = finish;
  const sentences = apps.filter(({ sentence }) => sentence !== '');
  const table = apps.filter(({ curve }) => curve.length > 0);
  return [
    `### Race ${plain(name === id || name === '' ? id : `${name} (${id})`)}`,
    '',
    ...(fairness && !finish.fair ? [`**${plain(fairness)}.**`, ''] : []),
    ...sentences.map(({ sentence, outcome }) => `- ${markOf(outcome)} ${plain(sentence)}.`),
    ...(sentences.length > 0 ? ['', plain(certainty), ''] : []),
    ...(table.length > 0
      ? [
          `| app | ${marked.map((p) => `p${p}`).join(' | ')} | p95 / baseline |`,
          `|---|${marked.map(() => '---:').join('|')}|---:|`,
          ...table.map((one) => `| ${plain(one.app)} | ${latencies(one).join(' | ')} | ${comparison(one, baseline)} |`),
          '',
        ]
      : []),
    ...(fairness ? [`Audit: ${plain(fairness)}.`] : []),
    ...findings.map(({ severity, kind, lane, detail }) => `- ${severity} \`${kind}\`: ${plain(lane ? `${lane}: ${detail}` : detail)}`),
    '',
  ].join('\n');
}

function latencies({ curve }: Entrant): string[] {
  return marked.map((percentile) => {
    const ms = at(curve, percentile);
    return ms === undefined ? '-' : duration(ms);
  });
}

function comparison({ app, ratios }: Entrant, baseline: string): string {
  const ratio = ratios.find(({ percentile }) => percentile === 95);
  return app === baseline ? 'baseline' : ratio ? ratioText(ratio) : '-';
}

/** Text that Markdown takes for nothing else, in one line. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_{}<>#|[\]]/g, '\\$&');
}

/** One picture out of the panel's: what is said above, the pictures below each other. */
export interface Poster {
  width: number;
  background: string;
  text: string;
  soft: string;
  font: string;
  finish: Finish;
  /** SVG elements with their titles and heights. */
  pictures: Array<{ title: string; markup: string; height: number }>;
}

const margin = 16;

export function posterOf({ width, background, text, soft, font, finish, pictures }: Poster): { markup: string; height: number } {
  const said = [
    ...heading(finish, width).map((line) => ({ line, size: 18, colour: text })),
    ...(finish.certainty ? lines(finish.certainty, letters(width, 12)).map((line) => ({ line, size: 12, colour: soft })) : []),
    ...(finish.fairness ? [{ line: `Audit: ${finish.fairness}`, size: 12, colour: soft }] : []),
  ];
  let y = margin;
  const drawn = said.map(({ line, size, colour }) => {
    y += size * 1.4;
    return `<text x="${margin}" y="${digits(y)}" font-size="${size}" fill="${colour}">${escape(line)}</text>`;
  });
  const placed = pictures.map(({ title, markup, height }) => {
    y += 2 * margin;
    const name = `<text x="${margin}" y="${digits(y)}" font-size="14" fill="${text}">${escape(title)}</text>`;
    y += margin / 2;
    const one = `<g transform="translate(${margin} ${Math.round(y)})">${markup}</g>`;
    y += height;
    return name + one;
  });
  const height = Math.ceil(y + margin);
  const whole = width + 2 * margin;
  return {
    height,
    markup:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${height}" font-family="${escape(font)}">` +
      `<rect width="${whole}" height="${height}" fill="${background}"/>${drawn.join('')}${placed.join('')}</svg>`,
  };
}

function heading(finish: Finish, width: number): string[] {
  const sentences = finish.apps.filter(({ sentence }) => sentence !== '').slice(0, 8);
  return sentences.flatMap(({ sentence, outcome }) => lines(`${markOf(outcome)} ${sentence}.`, letters(width, 18)));
}

/** How many letters of a size fit a width; Inter's are about half as wide as high. */
function letters(width: number, size: number): number {
  return Math.max(20, Math.floor(width / (size * 0.5)));
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
