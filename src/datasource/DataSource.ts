import {
  type CoreApp,
  CoreApp as Apps,
  type DataQueryRequest,
  type DataSourceInstanceSettings,
  type ScopedVars,
  type TimeRange,
} from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv, type StreamOptionsProvider, type TemplateSrv } from '@grafana/runtime';
import { lastValueFrom } from 'rxjs';

import { type MeasureInfo, readMeasures } from '../shared/measures';
import { asList, asRecord, asText } from '../shared/json';
import { isComplete, latest, newAlertQuery, newQuery, type RaceQuery, summary } from '../shared/query';
import { always, mergeRaces, newestFinished, overlaps, type RaceInfo, racesOfFrame, racesOfPage, type Span } from '../shared/races';
import type { RaceSettings } from '../shared/settings';
import { expandQuery } from '../shared/variables';
import { annotationSupport } from './annotations';
import { once } from '../shared/once';
import { grafanaLookup } from './lookup';
import { RaceVariables } from './variableSupport';

/** How many of the runner's newest races the lists offer. */
const listedRaces = 100;
/** How many races are asked for measures of their own, where a query names none or many. */
const racesAsked = 5;
/** How many rows of a stream are kept in the browser: a minute of 15 lanes. */
const keptRows = 5000;

export class DataSource extends DataSourceWithBackend<RaceQuery, RaceSettings> {
  // Neither changes while the page is open: other settings make another data source.
  readonly measures = once(() => this.getResource<unknown>('measures').then(readMeasures));
  private readonly hasRunner = once(
    async () => asRecord(await this.getResource<unknown>('capabilities', {}, { showErrorAlert: false })).runner === true
  );
  private asked = 0;

  constructor(
    settings: DataSourceInstanceSettings<RaceSettings>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
    this.annotations = annotationSupport;
    this.variables = new RaceVariables(this);
  }

  override getDefaultQuery(app: CoreApp): Partial<RaceQuery> {
    return app === Apps.UnifiedAlerting ? newAlertQuery : newQuery;
  }

  // A packet has a row for each lane: what Grafana keeps by default (as many rows as the panel has pixels) is a few seconds of many lanes.
  override streamOptionsProvider: StreamOptionsProvider<RaceQuery> = () => ({ maxLength: keptRows });

  override filterQuery(query: RaceQuery): boolean {
    return isComplete(query);
  }

  override getQueryDisplayText(query: RaceQuery): string {
    return summary(query);
  }

  override applyTemplateVariables(query: RaceQuery, scopedVars?: ScopedVars): RaceQuery {
    const expanded = expandQuery(query, grafanaLookup(this.templates, scopedVars));
    // A panel gets every column of what goes on live: the track draws limits, targets and who is out.
    return expanded.queryType === 'live' ? { ...expanded, field: 'all' } : expanded;
  }

  // "Explore" opens with the values that the panel showed.
  override interpolateVariablesInQueries(queries: RaceQuery[], scopedVars: ScopedVars): RaceQuery[] {
    return queries.map((query) => ({ ...this.applyTemplateVariables(query, scopedVars), datasource: this.getRef() }));
  }

  /** The dashboard's variables as they are written in a query. */
  variableNames(): string[] {
    return this.templates.getVariables().map(({ name }) => `$${name}`);
  }

  /**
   * The races to choose from: the runner's newest, whatever the time range, and those that the time range shows, the ones that nobody
   * started through the runner among them. Either alone will do. A runner that is not there is not asked: its 501 would be an error in
   * the browser's console.
   */
  async races(range: TimeRange): Promise<RaceInfo[]> {
    const [page, shown] = await Promise.allSettled([this.runnerRaces(), this.shownRaces(range)]);
    if (shown.status === 'rejected' && (page.status === 'rejected' || page.value.length === 0)) {
      throw shown.reason;
    }
    return mergeRaces(page.status === 'fulfilled' ? page.value : [], shown.status === 'fulfilled' ? shown.value : []);
  }

  /**
   * The apps of some races, in the order of their lanes; of every listed race of a time, where the list is empty as that of All is. What is
   * listed tells its apps itself; the back end is asked for other races, and finds none that is much older than a month.
   */
  async appsOf(races: readonly string[], listed: readonly RaceInfo[], name?: string, within?: Span): Promise<string[]> {
    const apps = idsOf(races, listed, name, within).map((id) => {
      const known = listed.find((race) => race.id === id)?.apps ?? [];
      return known.length > 0 ? known : this.askApps(id);
    });
    return [...new Set((await Promise.all(apps)).flat())];
  }

  /**
   * The measures of the contract and, behind them, those that some races have of their own; of the first few where there are many. A race that cannot be
   * asked has none: the others are as good without it.
   */
  async measuresOf(races: readonly string[], listed: readonly RaceInfo[], name?: string, within?: Span): Promise<MeasureInfo[]> {
    const ask = (race: string) => this.getResource<unknown>('measures', { race }, { showErrorAlert: false }).then(readMeasures, () => []);
    const own = idsOf(races, listed, name, within).slice(0, racesAsked).map(ask);
    const all = [...(await this.measures()), ...(await Promise.all(own)).flat()];
    return [...new Map(all.map((measure) => [measure.id, measure])).values()];
  }

  private async askApps(race: string): Promise<string[]> {
    return asList(await this.getResource<unknown>('apps', { race }, { showErrorAlert: false }))
      .map(asText)
      .filter(Boolean);
  }

  private async runnerRaces(): Promise<RaceInfo[]> {
    if (!(await this.hasRunner())) {
      return [];
    }
    return racesOfPage(await this.getResource<unknown>('races', { limit: listedRaces }, { showErrorAlert: false }));
  }

  private async shownRaces(range: TimeRange): Promise<RaceInfo[]> {
    const request: DataQueryRequest<RaceQuery> = {
      requestId: `${this.uid}-races-${++this.asked}`, // Grafana cancels a query whose id comes a second time
      app: Apps.Unknown,
      interval: '1s',
      intervalMs: 1000,
      range,
      scopedVars: {},
      startTime: Date.now(),
      targets: [{ refId: 'races', queryType: 'races', datasource: this.getRef() }],
      timezone: 'utc',
    };
    const { data, errors } = await lastValueFrom(this.query(request));
    if (errors?.[0]) {
      throw new Error(errors[0].message ?? 'the races could not be listed');
    }
    return racesOfFrame(data[0]);
  }
}

/** The ids that a query's races stand for: where it names none those of the list that have something to show of a time. */
function idsOf(races: readonly string[], listed: readonly RaceInfo[], name?: string, within: Span = always): string[] {
  if (races.length === 0) {
    return listed.filter((race) => overlaps(race, within)).map((race) => race.id);
  }
  return races.map((id) => (id === latest ? newestFinished(listed, name, within)?.id : id)).filter((id) => id !== undefined);
}
