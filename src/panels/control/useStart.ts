import { useRef, useState } from 'react';

import type { Calls } from '../../shared/calls';
import { asRecord, asText } from '../../shared/json';
import { isFinal, type Problem, problemOf } from '../../shared/problem';
import { Press } from './press';

export interface Start {
  start: (request: string) => void;
  starting: boolean;
  /** Why the last press started nothing, and for which request. */
  problem?: Problem;
  /** The answer was lost: the same press again cannot start a second race. */
  lost: boolean;
  forget: () => void;
}

/** Starts races, one for each press. */
export function useStart(calls: Calls | undefined, onAccepted: (id: string) => void, onRefused: () => void): Start {
  const press = useRef(new Press());
  const busy = useRef(false); // of a double click the second comes before anything is drawn
  const [state, setState] = useState<{ starting: boolean; problem?: Problem }>({ starting: false });
  const start = async (request: string) => {
    if (!calls || busy.current) {
      return;
    }
    busy.current = true;
    setState({ starting: true });
    try {
      const answer = await calls.post('races', JSON.parse(request), { 'Idempotency-Key': press.current.keyFor(request) });
      press.current.answered();
      setState({ starting: false });
      onAccepted(asText(asRecord(answer).id));
    } catch (error) {
      const problem = problemOf(error);
      if (isFinal(problem)) {
        press.current.answered();
      }
      setState({ starting: false, problem });
      onRefused();
    } finally {
      busy.current = false;
    }
  };
  const lost = state.problem !== undefined && !isFinal(state.problem);
  return { start: (request) => void start(request), ...state, lost, forget: () => setState({ starting: false }) };
}
