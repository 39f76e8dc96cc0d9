import type { Align, Heats, QueryType } from '../shared/query';

interface Choice<T> {
  label: string;
  value: T;
  description: string;
}

export const typeChoices: Array<Choice<QueryType>> = [
  { value: 'timeseries', label: 'Time series', description: 'Each measure over time, one line per app' },
  { value: 'standings', label: 'Standings', description: 'A table: one row per app, with the difference to the baseline' },
  { value: 'verdict', label: 'Verdict', description: 'Faster, slower, same or inconclusive, as numbers for alerts or as a table' },
  { value: 'distribution', label: 'Distribution', description: 'Latency per percentile and app, and its ratio to the baseline' },
  { value: 'races', label: 'Races', description: 'A table of the races of the time range' },
  { value: 'events', label: 'Events', description: 'Starts, heats, restarts, out of memory, verdicts: for annotations' },
  {
    value: 'live',
    label: 'Live',
    description: 'A race while it is run, four times a second: for the track panel',
  },
  {
    value: 'profile',
    label: 'Profile',
    description: 'What a request costs function by function, for the Flame graph panel; of races whose lanes have profile.pprof',
  },
];

export const alignChoices: Array<Choice<Align>> = [
  { value: 'absolute', label: 'Clock time', description: 'Each sample at its own time, within the time range' },
  {
    value: 'elapsed',
    label: 'Since the start',
    description: 'Races and heats laid over each other; shown by the Trend panel, not for alerts',
  },
];

export const heatChoices: Array<Choice<Heats>> = [
  { value: 'merged', label: 'Merged', description: 'All heats of a race as one' },
  { value: 'each', label: 'Each', description: 'Every heat by itself' },
];

export const fieldChoices: Array<Choice<string>> = [
  {
    value: 'regressed',
    label: 'Regressed',
    description: '1 where the app is slower than the baseline, else 0: what an alert rule asks for',
  },
  { value: 'ratio', label: 'Ratio', description: 'App over baseline' },
  { value: 'low', label: 'Low', description: 'The lower end of the 95% interval of the ratio' },
  { value: 'high', label: 'High', description: 'The upper end of the 95% interval of the ratio' },
  { value: 'all', label: 'Everything', description: 'A table with outcome, ratio and interval; for panels, not for alerts' },
];

export const profileChoices: Array<Choice<string>> = [
  { value: 'cpu', label: 'CPU', description: 'CPU time for one request' },
  { value: 'heap', label: 'Allocations', description: 'Bytes allocated for one request' },
  { value: 'inuse', label: 'Memory in use', description: 'Bytes held at the end of the heat for profiles' },
  { value: 'cpu_diff', label: 'CPU, difference', description: 'CPU time for one request against the baseline' },
  { value: 'heap_diff', label: 'Allocations, difference', description: 'Bytes allocated for one request against the baseline' },
  { value: 'inuse_diff', label: 'Memory in use, difference', description: 'Bytes held at the end against the baseline' },
];

export const standingsChoices: Array<Choice<string>> = [
  { value: '', label: 'Table', description: 'One row per app' },
  { value: 'trend', label: 'Sparklines', description: 'The table, with a small line of the heats for each measure' },
  { value: 'history', label: 'Race by race', description: 'Over time: each race is a point, each app a line' },
];

export const eventChoices: Array<Choice<string>> = [
  { value: '', label: 'Each race', description: 'Its heats, what became of its apps, its outcome' },
  {
    value: 'changes',
    label: 'Changes',
    description: 'The races since which an app is another than before: what a history shows and no single race',
  },
];

export const tips = {
  type: 'What the query answers with.',
  races:
    'Race ids (k6 testids), or the newest finished race of the time range. Several races are shown beside each other. A template variable may stand for one or several.',
  name: 'Looks only at races of this name, e.g. the nightly ones.',
  apps: 'The contestants: values of the k6 tag "app". Empty means all.',
  measures: 'What is compared. Empty means all; standings rank by the first one.',
  baseline: 'The app that the others are compared with. Needed for races that nobody started through the runner: they name none.',
  align: 'Clock time, or seconds since the start of each race, to compare races that ran at different times.',
  heats: 'A heat is one repetition of the whole race, with the lanes in another order.',
  field: 'Which number of the verdict each app and measure gets, or what the flame graph shows.',
  shown: 'How, or what, the query answers; each choice explains itself.',
  kind: 'What the values of the variable are.',
  ofRace: 'The race whose apps or measures are listed: an id, the newest finished race, or another variable such as $race.',
};
