import { useEffect, useState } from 'react';

import { type Calls, scriptPath } from '../../shared/calls';
import { asList, asRecord, asText } from '../../shared/json';
import { type Problem, problemOf } from '../../shared/problem';
import { type Definition, readDefinition } from './definition';

export interface Asked<T> {
  value?: T;
  problem?: Problem;
}

/** Asks once for each key, and again for a key that comes back; while there is none, the last answer stands. */
function useAsked<T>(key: string | undefined, ask: () => Promise<T>): Asked<T> {
  const [asked, setAsked] = useState<{ key?: string } & Asked<T>>({});
  useEffect(() => {
    if (key === undefined) {
      return;
    }
    let stale = false;
    const settle = (answer: Asked<T>) => void (stale || setAsked({ key, ...answer }));
    ask().then(
      (value) => settle({ value }),
      (error) => settle({ problem: problemOf(error) })
    );
    return () => {
      stale = true;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says what is asked
  }, [key]);
  return key === undefined || asked.key === key ? asked : {};
}

/** The scripts that may be raced, asked for anew with each `round`. */
export function useScripts(calls: Calls | undefined, round: string): Asked<string[]> {
  return useAsked(calls && round, async () => asList(asRecord(await calls?.get('scripts')).scripts).map(asText));
}

/** What a script defines. */
export function useDefinition(calls: Calls | undefined, script: string | undefined, round: string): Asked<Definition> {
  return useAsked(calls && script && `${round} ${script}`, async () => readDefinition(await calls?.get(scriptPath(script ?? ''))));
}
