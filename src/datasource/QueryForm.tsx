import type { TimeRange } from '@grafana/data';
import { Combobox, InlineField, InlineFieldRow, RadioButtonGroup } from '@grafana/ui';
import React, { useId } from 'react';

import { latest, type Part, partsOf, type RaceQuery } from '../shared/query';
import { appOptions, latestOption, matching, measureOptions, raceOptions } from './choices';
import type { DataSource } from './DataSource';
import { ListField } from './ListField';
import { NameField } from './NameField';
import { lastDay } from './range';
import { alignChoices, eventChoices, fieldChoices, heatChoices, profileChoices, standingsChoices, tips } from './texts';
import { labelWidth } from './widths';

interface Props {
  datasource: DataSource;
  query: RaceQuery;
  range?: TimeRange;
  onChange: (query: RaceQuery) => void;
}

/** The parts of a query that its type reads, each with its explanation. */
export function QueryForm({ datasource, query, range = lastDay(), onChange }: Props) {
  const id = useId();
  const parts = partsOf(query);
  const has = (part: Part) => parts.includes(part);
  const set = (change: Partial<RaceQuery>) => onChange({ ...query, ...change });
  return (
    <>
      {has('races') && (
        <ListField
          id={`${id}-races`}
          label="Races"
          tooltip={tips.races}
          placeholder="Every race of the time range"
          value={query.races ?? []}
          labelOf={(race) => (race === latest ? latestOption(query.queryType).label : race)}
          load={() => raceOptions(datasource, range, query.queryType)}
          onChange={(races) => set({ races })}
        />
      )}
      {has('name') && <NameField id={`${id}-name`} value={query.name} onChange={(name) => set({ name: name || undefined })} />}
      {has('apps') && (
        <ListField
          id={`${id}-apps`}
          label="Apps"
          tooltip={tips.apps}
          placeholder="All apps"
          value={query.apps ?? []}
          load={() => appOptions(datasource, query, range)}
          onChange={(apps) => set({ apps })}
        />
      )}
      {has('measures') && (
        <ListField
          id={`${id}-measures`}
          label="Measures"
          tooltip={tips.measures}
          placeholder="All measures"
          value={query.measures ?? []}
          load={() => measureOptions(datasource, query, range)}
          onChange={(measures) => set({ measures })}
        />
      )}
      {has('baseline') && (
        <InlineField label="Baseline" tooltip={tips.baseline} labelWidth={labelWidth} grow>
          <Combobox
            id={`${id}-baseline`}
            options={async (typed) => matching(await appOptions(datasource, { ...query, apps: [] }, range), typed)}
            value={query.baseline ?? null}
            onChange={(chosen) => set({ baseline: chosen?.value })}
            placeholder="The race's own baseline"
            isClearable
          />
        </InlineField>
      )}
      {has('field') && (
        <InlineField label="Value" tooltip={tips.field} labelWidth={labelWidth} grow>
          <Combobox
            id={`${id}-field`}
            options={query.queryType === 'profile' ? profileChoices : fieldChoices}
            value={query.field ?? (query.queryType === 'profile' ? 'cpu' : 'regressed')}
            onChange={(chosen) => set({ field: chosen.value })}
          />
        </InlineField>
      )}
      <InlineFieldRow>
        {has('align') && (
          <InlineField label="Time axis" tooltip={tips.align} labelWidth={labelWidth}>
            <RadioButtonGroup options={alignChoices} value={query.align ?? 'absolute'} onChange={(align) => set({ align })} />
          </InlineField>
        )}
        {has('heats') && (
          <InlineField label="Heats" tooltip={tips.heats} labelWidth={labelWidth}>
            <RadioButtonGroup options={heatChoices} value={query.heats ?? 'merged'} onChange={(heats) => set({ heats })} />
          </InlineField>
        )}
        {has('shown') && (
          <InlineField label="Show" tooltip={tips.shown} labelWidth={labelWidth}>
            <RadioButtonGroup
              options={query.queryType === 'events' ? eventChoices : standingsChoices}
              value={query.field ?? ''}
              onChange={(field) => set({ field: field || undefined })}
            />
          </InlineField>
        )}
      </InlineFieldRow>
    </>
  );
}
