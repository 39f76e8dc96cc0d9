import { cx } from '@emotion/css';
import { Alert, Button, Stack, useStyles2 } from '@grafana/ui';
import React, { useRef, useState } from 'react';

import type { Calls } from '../../shared/calls';
import { type Problem, sentence, sentenceOf } from '../../shared/problem';
import { EndedCard } from './EndedCard';
import { errorsOf } from './errors';
import type { Turn } from './follow';
import { blank, type Form, isChanged, requestOf } from './form';
import type { Picture } from './look';
import { RaceCard } from './RaceCard';
import { hasEnded } from '../../shared/races';

import { Setup } from './Setup';
import { StartBar } from './StartBar';
import { panelStyles } from './styles';
import { useFollowing, useTurning } from './useFollowing';
import { useMoreBelow } from './useMoreBelow';
import { usePlan } from './usePlan';
import { useRunner } from './useRunner';
import { useDefinition, useScripts } from './useScripts';
import { useStart } from './useStart';

interface Props {
  uid: string;
  calls: Calls;
  firstScript: string;
  /** The login of the user. */
  me: string;
  timeZone: string;
  /** Of the panel, in pixels: a panel that grew with its form would cover the one below. */
  height: number;
  /** What the dashboard's variable `race` holds; undefined where it has none. */
  shownRace: string | undefined;
  turn: (turn: Turn) => void;
}

/** Why nothing can be started now, undefined where it can. */
export function obstacle({ can, problem }: Picture): string | undefined {
  if (problem) {
    return sentenceOf(problem);
  }
  return can && !can.canStart ? sentence(can.reason) : undefined;
}

export function Control({ uid, calls, firstScript, me, timeZone, height, shownRace, turn }: Props) {
  const styles = useStyles2(panelStyles);
  const [chosen, setChosen] = useState<string>();
  const [form, setForm] = useState<Form>(blank);
  const [preparing, setPreparing] = useState(false);
  const [startedHere, setStartedHere] = useState<string>();
  const [stopProblem, setStopProblem] = useState<Problem>();
  const [following, setFollowing] = useFollowing(uid);
  const { picture, again } = useRunner(calls, following?.id);
  useTurning([following, setFollowing], picture.followed, shownRace, turn);

  const reachable = picture.can?.runner === true && !picture.problem;
  const source = reachable ? calls : undefined;
  const scripts = useScripts(source, uid);
  const script = chosen ?? scripts.value?.find((name) => name === firstScript) ?? scripts.value?.[0];
  const definition = useDefinition(source, script, uid);
  const mayStart = picture.can?.canStart === true && !picture.problem;
  const request = definition.value && requestOf(definition.value, form);
  const asked = request && JSON.stringify(request);
  const changed = request !== undefined && isChanged(request);
  const planned = usePlan(source, changed && mayStart ? asked : undefined);
  const { start, starting, problem, lost, forget } = useStart(
    calls,
    (id) => {
      setFollowing({ id });
      setStartedHere(id);
      setPreparing(false);
      again();
    },
    again
  );

  const change = (part: Partial<Form>) => {
    forget();
    setForm((now) => ({ ...now, ...part }));
  };
  const chooseScript = (name: string) => {
    forget();
    setForm(blank);
    setChosen(name);
  };
  const errors = errorsOf(problem ?? (planned.pending ? undefined : planned.problem));
  const followed = picture.followed;
  const ended = followed && hasEnded(followed) ? followed : undefined;
  const mine = picture.open.find(({ id }) => id === following?.id);
  const settingUp = !mine || preparing;
  const why = obstacle(picture);
  const body = useRef<HTMLDivElement>(null);
  const moreBelow = useMoreBelow(body);
  return (
    <div className={styles.panel} style={{ height }}>
      <div className={styles.body} ref={body}>
        {why && <Alert severity={picture.problem ? 'error' : 'info'} title={why} topSpacing={0} bottomSpacing={1.5} />}
        {stopProblem && (
          <Alert
            severity="error"
            title={sentenceOf(stopProblem)}
            onRemove={() => setStopProblem(undefined)}
            topSpacing={0}
            bottomSpacing={1.5}
          />
        )}
        {picture.open.map((race) => (
          <RaceCard
            key={race.id}
            calls={calls}
            race={race}
            me={me}
            followed={race.id === following?.id}
            mayStop={mayStart}
            fresh={race.id === startedHere}
            onWatch={() => setFollowing({ id: race.id })}
            onChanged={again}
            onProblem={setStopProblem}
          />
        ))}
        {ended && <EndedCard calls={calls} race={ended} timeZone={timeZone} onClose={() => setFollowing(undefined)} />}
        {(reachable || definition.value) && (
          <div hidden={!settingUp /* what is unfolded there stays so */}>
            <Setup
              scripts={scripts}
              script={script}
              definition={definition}
              form={form}
              errors={errors.at}
              disabled={!mayStart}
              onScript={chooseScript}
              onChange={change}
            />
          </div>
        )}
      </div>
      {settingUp && definition.value && (
        <div className={cx(styles.foot, moreBelow && styles.over)}>
          <StartBar
            plan={planned.plan ?? (changed ? undefined : definition.value)}
            pending={planned.pending}
            before={{ races: picture.open.length, remainingMs: picture.open.reduce((sum, { remainingMs = 0 }) => sum + remainingMs, 0) }}
            error={errors.general}
            lost={lost}
            starting={starting}
            disabled={!mayStart}
            changed={changed}
            onStart={() => asked && start(asked)}
            onReset={() => change(blank)}
          />
        </div>
      )}
      {!settingUp && mayStart && (
        <div className={styles.foot}>
          <Stack direction="row">
            <Button variant="secondary" icon="plus" onClick={() => setPreparing(true)}>
              Prepare another race
            </Button>
          </Stack>
        </div>
      )}
    </div>
  );
}
