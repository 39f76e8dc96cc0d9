import { Button, RadioButtonGroup } from '@grafana/ui';
import React from 'react';

import { type Playhead, toggled } from './model/playhead';
import { clock } from './model/words';
import { speeds } from './options';

interface Props {
  head: Playhead;
  from: number;
  to: number;
  over: boolean;
  speed: number;
  go: (head: Playhead) => void;
  setSpeed: (speed: number) => void;
}

/** Play, pause, a scrubber, and the way back to the front of a race that goes on. */
export function Transport({ head, from, to, over, speed, go, setSpeed }: Props) {
  const runs = head.mode === 'playing' || (head.mode === 'live' && !over);
  const atFront = head.mode === 'live' || (over && head.at >= to);
  return (
    <>
      <Button
        size="sm"
        variant="secondary"
        fill="text"
        icon={runs ? 'pause' : 'play'}
        aria-label={runs ? 'Pause' : 'Play'}
        tooltip={runs ? 'Pause' : 'Play'}
        onClick={() => go(toggled(head, from, to, over))}
      />
      <input
        type="range"
        aria-label="Time of the race"
        aria-valuetext={`${clock(head.at)} of ${clock(to)}`}
        min={from}
        max={to}
        step="any"
        value={Math.min(to, Math.max(from, head.at))}
        onChange={(event) => go({ mode: 'paused', at: Number(event.currentTarget.value) })}
        onKeyDown={(event) => {
          const seconds = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
          if (seconds !== undefined) {
            event.preventDefault(); // a step of "any" would be a hundredth of the race
            go({ mode: 'paused', at: Math.min(to, Math.max(from, head.at + seconds)) });
          }
        }}
      />
      <span>
        {clock(head.at)} / {clock(to)}
      </span>
      {!over && (
        <Button
          size="sm"
          variant={atFront ? 'primary' : 'secondary'}
          fill="outline"
          aria-pressed={atFront}
          onClick={() => go({ mode: 'live', at: to })}
        >
          Live
        </Button>
      )}
      <RadioButtonGroup
        size="sm"
        aria-label="Speed of the replay"
        value={speed}
        options={speeds.map((value) => ({ value, label: `${value}×` }))}
        onChange={setSpeed}
      />
    </>
  );
}
