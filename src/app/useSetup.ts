import { dateTime, type TimeRange } from '@grafana/data';
import { getBackendSrv, getDataSourceSrv, isFetchError } from '@grafana/runtime';
import { useEffect, useState } from 'react';
import { lastValueFrom } from 'rxjs';

import { callsOf } from '../shared/calls';
import { problemOf } from '../shared/problem';
import type { RaceInfo } from '../shared/races';
import { type Check, failed, readHealth, readPermissions } from './checks';
import { type Found, readFound } from './contents';

async function get(url: string): Promise<unknown> {
  const answer = await lastValueFrom(getBackendSrv().fetch<unknown>({ url, showErrorAlert: false }));
  return answer.data;
}

/** Asks each part of the set-up of one data source. A health check that finds something wrong answers with an error that holds its parts. */
async function check(uid: string): Promise<Check[]> {
  let health: unknown;
  try {
    health = await get(`/api/datasources/uid/${encodeURIComponent(uid)}/health`);
  } catch (error) {
    if (!isFetchError(error) || error.status !== 400) {
      return [failed(problemOf(error))];
    }
    health = error.data;
  }
  const checks = readHealth(health);
  const can = await callsOf(uid)
    .get('capabilities')
    .catch(() => undefined); // the health check has said why
  return [...checks, ...readPermissions(can, checks)];
}

/** The parts of the set-up, undefined while they are asked; each change of `round` asks anew. */
export function useChecks(uid: string, round: number): Check[] | undefined {
  const [seen, setSeen] = useState<{ key: string; checks: Check[] }>();
  const key = `${uid} ${round}`;
  useEffect(() => {
    let stale = false;
    void check(uid).then((checks) => stale || setSeen({ key, checks }));
    return () => {
      stale = true;
    };
  }, [uid, key]);
  return seen?.key === key ? seen.checks : undefined;
}

/** What the data source's own class can do beyond Grafana's interface: it lists races, the runner's and those in Prometheus. */
interface ListsRaces {
  races(range: TimeRange): Promise<RaceInfo[]>;
}

function listsRaces(source: object): source is ListsRaces {
  return 'races' in source && typeof source.races === 'function';
}

const week = 7 * 24 * 3_600_000;

/** The newest races; an error in words where they cannot be listed. */
export function useLastRaces(uid: string | undefined): { races?: RaceInfo[]; problem?: string } {
  const [seen, setSeen] = useState<{ uid?: string; races?: RaceInfo[]; problem?: string }>({});
  useEffect(() => {
    if (uid === undefined) {
      return;
    }
    let stale = false;
    const ask = async () => {
      const source = await getDataSourceSrv().get(uid);
      const [from, to] = [dateTime(Date.now() - week), dateTime()];
      return listsRaces(source) ? source.races({ from, to, raw: { from, to } }) : [];
    };
    ask().then(
      (races) => void (stale || setSeen({ uid, races })),
      (error) => void (stale || setSeen({ uid, problem: error instanceof Error ? error.message : problemOf(error).message }))
    );
    return () => {
      stale = true;
    };
  }, [uid]);
  return seen.uid === uid ? seen : {};
}

/** The dashboards of Photofinish that this user can see. */
export function useFoundDashboards(): Found[] {
  const [found, setFound] = useState<Found[]>([]);
  useEffect(() => {
    let stale = false;
    get('/api/search?type=dash-db&tag=photofinish').then(
      (answer) => void (stale || setFound(readFound(answer))),
      () => undefined // without links the page still says what there is
    );
    return () => {
      stale = true;
    };
  }, []);
  return found;
}
