import { useEffect, useState } from 'react';

import type { Calls } from '../../shared/calls';
import { type Problem, problemOf } from '../../shared/problem';
import { type Definition, readDefinition } from './definition';

/** What a request comes to. While the answer is on its way, the last one stands. */
export interface Planned {
  plan?: Definition;
  problem?: Problem;
  pending: boolean;
}

/** Typing shall not ask with every letter. */
const pauseMs = 300;

/** Asks what a request (as JSON) would come to; undefined asks nothing. */
export function usePlan(calls: Calls | undefined, request: string | undefined): Planned {
  const [answered, setAnswered] = useState<{ request?: string } & Omit<Planned, 'pending'>>({});
  useEffect(() => {
    if (!calls || request === undefined) {
      return;
    }
    let stale = false;
    const settle = (answer: Omit<Planned, 'pending'>) => {
      if (!stale) {
        setAnswered({ request, ...answer });
      }
    };
    const timer = setTimeout(() => {
      calls.post('plans', JSON.parse(request)).then(
        (plan) => settle({ plan: readDefinition(plan) }),
        (error) => settle({ problem: problemOf(error) })
      );
    }, pauseMs);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [calls, request]);
  if (request === undefined) {
    return { pending: false };
  }
  return { ...answered, pending: answered.request !== request };
}
