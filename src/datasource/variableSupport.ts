import {
  CustomVariableSupport,
  type DataQueryRequest,
  type DataQueryResponse,
  dateTimeFormat,
  type MetricFindValue,
  type TimeRange,
} from '@grafana/data';
import { from, map, type Observable } from 'rxjs';

import { measureOption } from '../shared/measures';
import { latest, type RaceQuery } from '../shared/query';
import { namesOf, newestFinished, type RaceInfo, raceLabel, type Span, spanOf } from '../shared/races';
import { newVariableQuery, readVariableQuery, type VariableQuery } from '../shared/variableQuery';
import type { DataSource } from './DataSource';
import { VariableEditor } from './VariableEditor';

/** What a variable offers. */
export class RaceVariables extends CustomVariableSupport<DataSource, VariableQuery, RaceQuery> {
  override editor = VariableEditor;

  constructor(private readonly datasource: DataSource) {
    super();
  }

  override getDefaultQuery(): Partial<RaceQuery> {
    // Grafana's type asks for a panel's query here, its code for the variable's.
    return newVariableQuery as Partial<VariableQuery> as Partial<RaceQuery>;
  }

  override query(request: DataQueryRequest<VariableQuery>): Observable<DataQueryResponse> {
    return from(this.values(request)).pipe(map((data) => ({ data })));
  }

  private async values({ targets, range, scopedVars }: DataQueryRequest<VariableQuery>): Promise<MetricFindValue[]> {
    const written = readVariableQuery(targets[0]);
    const { races = [], name = '' } = this.datasource.applyTemplateVariables(
      { refId: 'variable', races: [written.race], name: written.name },
      scopedVars
    );
    if (written.kind === 'races') {
      return this.races(name, range);
    }
    if (written.kind === 'measures') {
      // A list of races that cannot be had takes away no more than the measures that they have of their own.
      const measures = await this.datasource.measuresOf(races, await this.named(name, range).catch(() => []), name, spanOf(range));
      return measures.map(measureOption).map(({ label, value }) => ({ text: label, value }));
    }
    const listed = await this.named(name, range);
    if (written.kind === 'names') {
      return namesOf(listed).map((one) => ({ text: one, value: one }));
    }
    const apps = await this.datasource.appsOf(races, listed, name, spanOf(range));
    const values = apps.map((app) => ({ text: app, value: app }));
    return written.kind === 'baselines' ? baselinesFirst(values, recordedBaseline(races, listed, name, spanOf(range))) : values;
  }

  private async races(name: string, range: TimeRange): Promise<MetricFindValue[]> {
    const found = await this.named(name, range);
    const start = ({ startedAt }: RaceInfo) => (startedAt === undefined ? '' : ` · ${dateTimeFormat(startedAt)}`);
    return [
      { text: 'Newest finished', value: latest },
      ...found.map((race) => ({ text: raceLabel(race) + start(race), value: race.id })), // short: it stands in the dashboard's first line
    ];
  }

  private async named(name: string, range: TimeRange): Promise<RaceInfo[]> {
    const races = await this.datasource.races(range);
    return races.filter((race) => name === '' || race.name === name);
  }
}

/** What a dashboard shows before its first race: no app is chosen, and the back end compares with the recorded baseline. */
const asRecorded: MetricFindValue = { text: 'as recorded', value: '' };

/** Grafana takes the first value where the one chosen before is no app of the race. */
function baselinesFirst(apps: MetricFindValue[], baseline: string | undefined): MetricFindValue[] {
  return apps.length === 0
    ? [asRecorded]
    : [...apps.filter(({ value }) => value === baseline), ...apps.filter(({ value }) => value !== baseline)];
}

function recordedBaseline(races: readonly string[], listed: readonly RaceInfo[], name: string, within: Span): string | undefined {
  const id = races[0] === latest ? newestFinished(listed, name, within)?.id : races[0];
  return listed.find((race) => race.id === id)?.baseline;
}
