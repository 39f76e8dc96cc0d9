import { Button, ConfirmModal } from '@grafana/ui';
import React, { useState } from 'react';

import type { Calls } from '../../shared/calls';
import { type Problem, problemOf } from '../../shared/problem';
import type { RaceState } from './races';

interface Props {
  calls: Calls;
  race: RaceState;
  /** The login of the user who looks at it. */
  me: string;
  onStopped: () => void;
  onProblem: (problem: Problem | undefined) => void;
}

/** Ends a race, or takes it out of the queue, when that was confirmed. */
export function StopButton({ calls, race, me, onStopped, onProblem }: Props) {
  const [asking, setAsking] = useState(false);
  const [stopping, setStopping] = useState(false);
  const waits = race.status === 'queued';
  const stop = async () => {
    setAsking(false);
    setStopping(true);
    onProblem(undefined);
    try {
      await calls.post(`races/${encodeURIComponent(race.id)}/stop`);
    } catch (error) {
      const problem = problemOf(error);
      if (problem.code !== 'conflict') {
        // it has ended meanwhile, which is what was wanted
        onProblem(problem);
        setStopping(false);
      }
    }
    onStopped();
  };
  const whose = race.by && race.by !== me ? ` ${race.by} asked for it.` : '';
  return (
    <>
      <Button
        variant="destructive"
        fill="outline"
        size="sm"
        icon={stopping ? 'fa fa-spinner' : 'square-shape'}
        disabled={stopping}
        aria-label={`${waits ? 'Take out of the queue' : 'Stop'} ${race.name || race.id}`}
        onClick={() => setAsking(true)}
      >
        {stopping ? 'Stopping' : waits ? 'Take out' : 'Stop'}
      </Button>
      <ConfirmModal
        isOpen={asking}
        title={waits ? 'Take the race out of the queue' : 'Stop the race'}
        body={
          waits
            ? `${race.name || race.id} will not be run.${whose}`
            : `${race.name || race.id} ends now and gets no verdict; the heats that were run are kept.${whose}`
        }
        confirmText={waits ? 'Take out' : 'Stop race'}
        dismissText={waits ? 'Let it wait' : 'Keep racing'}
        onConfirm={stop}
        onDismiss={() => setAsking(false)}
      />
    </>
  );
}
