import type { PanelProps } from '@grafana/data';
import React, { useMemo, useState } from 'react';

import { Empty } from './Empty';
import { readVerdicts } from './model/words';
import { Selector } from './model/select';
import { type Options, readOptions } from './options';
import { Track } from './Track';

export function TrackPanel({ data, options, width, height }: PanelProps<Options>) {
  const [selector] = useState(() => new Selector());
  const track = useMemo(() => selector.select(data.series, (data.errors ?? []).length > 0), [selector, data]);
  const verdicts = useMemo(() => readVerdicts(data.series, track?.race.id ?? ''), [data, track?.race.id]);
  if (!track || track.race.lanes.length === 0) {
    return <Empty data={data} />;
  }
  // Another race starts at its own place, at its own speed.
  return <Track key={track.race.id} track={track} verdicts={verdicts} options={readOptions(options)} width={width} height={height} />;
}
