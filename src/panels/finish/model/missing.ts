import type { Finish } from './finish';

/** What the panel has nothing to show for: a heading, and what to do. */
export interface Gap {
  title: string;
  todo: string;
}

const fates: Record<string, string> = { failed: 'failed', cancelled: 'was stopped', interrupted: 'was interrupted' };
const ended = ['', 'finished', ...Object.keys(fates)];

/** Says why there is no race at all: what failed, or what was not asked. */
export function noRace(asked: readonly string[], errors: readonly string[] = []): Gap {
  if (errors.length > 0) {
    return { title: 'The race cannot be asked for', todo: [...new Set(errors)].join('; ') };
  }
  if (!asked.some((type) => type === 'verdict' || type === 'distribution')) {
    return {
      title: 'This panel has no query that it can show',
      todo: 'Add queries of the Photofinish data source to it: Verdict with the value Everything, Distribution, and Standings, all of the same race.',
    };
  }
  return {
    title: 'No race finished in this time range',
    todo: 'Start one in the control panel, run k6 with --tag testid=…, or choose a longer time range above.',
  };
}

/** What one race lacks, for a line above the pictures; most races lack nothing. */
export function gapsOf(finish: Finish): string[] {
  const said: string[] = [];
  const { status, error, apps, baseline } = finish;
  const compared = apps.filter(({ app }) => app !== baseline);
  if (!ended.includes(status)) {
    return [`The race is ${status.replace('-', ' ')}: there is no verdict before it has finished.`];
  }
  if (status !== '' && status !== 'finished') {
    said.push(`The race ${fates[status] ?? status}${error ? `: ${error.replace(/\.$/, '')}` : ''}. What it measured until then is shown.`);
  }
  if (apps.length === 1) {
    said.push('One app raced alone, so there is nothing to compare it with. Add a second lane to the script.');
  } else if (baseline === '') {
    said.push('No baseline is chosen, so nothing is compared. Choose one in the dashboard’s variable or in the queries.');
  } else if (finish.id === '') {
    said.push('No query asks for verdicts. Add one of type Verdict with the value Everything.');
  } else if (compared.every(({ sentence }) => sentence === '')) {
    said.push('No verdict was reached. The audit below says what happened.');
  } else if (!compared.some(({ costed }) => costed)) {
    said.push(
      'No CPU per request: no container of these apps was measured. Let Prometheus scrape cAdvisor, and see the data source’s app labels.'
    );
  }
  if (apps.every(({ curve }) => curve.length === 0)) {
    said.push('No latencies: add a query of type Distribution; k6 must write native histograms.');
  }
  return said;
}

/** What is said first of a race that was not fair, or is not so far. */
export function unfairTitle({ status }: Finish): string {
  return ended.includes(status)
    ? 'This race was not fair, so nothing was decided'
    : 'This race is not fair so far: if it stays so, nothing will be decided';
}

/** Says whether verdicts were withheld because the race was not fair. */
export function isUnfair({ fair, overriddenBy, fairness }: Finish): boolean {
  return !fair && overriddenBy === '' && fairness !== '';
}
