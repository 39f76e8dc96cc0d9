import { Button, Stack, Text } from '@grafana/ui';
import React from 'react';

import type { Definition } from './definition';
import { planWords, waitWords } from './words';

interface Props {
  plan?: Definition;
  /** The plan is of a request that has changed since. */
  pending: boolean;
  before: { races: number; remainingMs: number };
  error?: string;
  /** The last answer was lost, so the same button asks for the same race again. */
  lost: boolean;
  starting: boolean;
  disabled: boolean;
  changed: boolean;
  onStart: () => void;
  onReset: () => void;
}

/** What will happen, and the button that makes it happen. */
export function StartBar({ plan, pending, before, error, lost, starting, disabled, changed, onStart, onReset }: Props) {
  const waits = waitWords(before.races, before.remainingMs);
  return (
    <Stack direction="column" gap={1}>
      <div role="status" aria-busy={pending}>
        {plan && !error && <Text color={pending ? 'disabled' : 'primary'}>{`${planWords(plan)}.${waits ? ` ${waits}` : ''}`}</Text>}
      </div>
      {error && (
        <div role="alert">
          <Text color="error">{`${error}${lost ? ' Press again to ask for the same race; it is started once.' : ''}`}</Text>
        </div>
      )}
      <Stack direction="row" gap={1} alignItems="center" wrap="wrap">
        <Button icon={starting ? 'fa fa-spinner' : 'play'} disabled={disabled || starting} onClick={onStart}>
          Start race
        </Button>
        {changed && (
          <Button variant="secondary" fill="text" disabled={starting} onClick={onReset}>
            As in the script
          </Button>
        )}
      </Stack>
    </Stack>
  );
}
