import { LoadingState, type PanelProps } from '@grafana/data';
import { Combobox, InlineField, useStyles2 } from '@grafana/ui';
import React, { useId, useMemo, useRef, useState } from 'react';

import { AfterPaint } from '../../shared/AfterPaint';
import { asRecord, asText } from '../../shared/json';
import { Apps } from './Apps';
import { Audit } from './Audit';
import { CapacityFigure, capacityTitle } from './CapacityFigure';
import { Distributions, distributionsTitle } from './Distributions';
import { Empty } from './Empty';
import { getStyles, useLook } from './look';
import { type Finish, readFinishes } from './model/finish';
import { ratiosOf } from './model/ratios';
import { ridgesOf } from './model/ridges';
import type { FinishOptions } from './options';
import { RatioFigure, ratiosTitle } from './RatioFigure';
import { Sentences } from './Sentences';
import { Thresholds } from './Thresholds';
import { Tools } from './Tools';

/** Two pictures stand beside each other from this width on; as in the style sheet. */
const sideBySide = 900;
const gap = 24;

/** The photo finish: the result in words, distributions, ratios, audit. */
export function FinishPanel({ data, options, width, timeRange, onChangeTimeRange }: PanelProps<FinishOptions>) {
  const styles = useStyles2(getStyles);
  const errors = (data.errors ?? []).map(({ message, data: told }) => message ?? told?.message ?? 'a query failed');
  const finishes = useKept(
    useMemo(() => readFinishes(data.series), [data.series]),
    errors.length > 0
  );
  const fieldId = useId();
  const [chosen, choose] = useState('');
  const [focus, setFocus] = useState<string>();
  const finish = finishes.find(({ id }) => id === chosen) ?? finishes[0];
  const look = useLook(finish ?? { apps: [], baseline: '' });
  const ridges = useMemo(() => (finish ? ridgesOf(finish) : undefined), [finish]);
  const ratios = useMemo(() => (finish ? ratiosOf(finish) : undefined), [finish]);
  const ridgePicture = useRef<SVGSVGElement>(null);
  const capacityPicture = useRef<SVGSVGElement>(null);
  const ratioPicture = useRef<SVGSVGElement>(null);
  if (!finish) {
    return (
      <Empty
        loading={data.state === LoadingState.Loading}
        errors={errors}
        asked={(data.request?.targets ?? []).map((one) => asText(asRecord(one).queryType))}
      />
    );
  }
  const focusOn = (app: string) => setFocus((now) => (now === app ? undefined : app));
  const [below, beside] = [options.distributions && ridges, options.ratios && ratios];
  const held = options.capacity ? finish.capacity : undefined;
  const inner = width - 8; // the scroll bar's
  const several = [held, below, beside].filter(Boolean).length > 1;
  const wide = several && inner >= sideBySide ? Math.floor((inner - gap) / 2) : inner;
  const figure = { finish, look, styles, focus, onFocusApp: focusOn, width: wide };
  const tools = (
    <div className={styles.tools}>
      <AfterPaint>
        <Tools
          {...{ finish, timeRange, onChangeTimeRange, width: wide }}
          pictures={() => [
            { title: capacityTitle, svg: capacityPicture.current },
            { title: distributionsTitle, svg: ridgePicture.current },
            { title: ratiosTitle(finish), svg: ratioPicture.current },
          ]}
        />
      </AfterPaint>
    </div>
  );
  return (
    <div className={styles.panel}>
      {finishes.length > 1 && (
        <InlineField label="Race" grow>
          <Combobox
            id={`${fieldId}-race`}
            options={finishes.map(({ id, name }) => ({ value: id, label: name === id ? id : `${name} (${id})` }))}
            value={finish.id}
            onChange={({ value }) => choose(value)}
          />
        </InlineField>
      )}
      <Sentences {...{ finish, look, styles, tools }} />
      {(below || beside || held) && <Apps {...{ finish, look, styles, focus, onFocusApp: focusOn }} />}
      <div className={styles.pictures}>
        {held && <CapacityFigure {...figure} capacity={held} picture={capacityPicture} />}
        {below && <Distributions {...figure} ridges={below} picture={ridgePicture} />}
        {beside && <RatioFigure {...figure} ratios={beside} picture={ratioPicture} />}
      </div>
      {options.audit && finish.fairness !== '' && (
        <AfterPaint>
          <Audit {...{ finish, look, styles }} />
        </AfterPaint>
      )}
      {options.audit && finish.thresholds.length > 0 && (
        <AfterPaint>
          <Thresholds {...{ finish, look, styles }} />
        </AfterPaint>
      )}
    </div>
  );
}

/** Where queries failed and nothing came, what was shown before stands; Grafana says in the panel's corner what failed. */
function useKept(finishes: Finish[], failed: boolean): Finish[] {
  const [kept, keep] = useState(finishes);
  const shown = finishes.length === 0 && failed ? kept : finishes;
  if (shown !== kept) {
    keep(shown);
  }
  return shown;
}
