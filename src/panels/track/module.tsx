import { PanelPlugin, type SelectableValue } from '@grafana/data';

import { gauges, kinds } from './model/gauges';
import { defaults, type Options, speeds } from './options';
import { TrackPanel } from './TrackPanel';

export const plugin = new PanelPlugin<Options>(TrackPanel).setNoPadding().setPanelOptions((builder) => {
  builder
    .addRadio({
      path: 'ghost',
      name: 'Ghost',
      description:
        'A dashed capsule on each lane: where the baseline is, or where the same app of an earlier race was after the same time. The earlier race is the second one that the panel’s time series ask for.',
      defaultValue: defaults.ghost,
      settings: {
        options: [
          { value: 'baseline', label: 'Baseline' },
          { value: 'race', label: 'Earlier race' },
          { value: 'none', label: 'None' },
        ],
      },
    })
    .addRadio({
      path: 'distance',
      name: 'Distance',
      description:
        'What the length of a lane stands for: the requests that were asked of it, where the load is a rate; else the requests that the fastest app completes.',
      defaultValue: defaults.distance,
      settings: {
        options: [
          { value: 'auto', label: 'Auto' },
          { value: 'requests', label: 'Requests' },
          { value: 'target', label: 'Target' },
        ],
      },
    })
    .addMultiSelect({
      path: 'gauges',
      name: 'Gauges',
      defaultValue: defaults.gauges,
      settings: {
        options: gauges.map((gauge): SelectableValue => ({ value: gauge, label: kinds[gauge].title, description: kinds[gauge].about })),
      },
    })
    .addRadio({
      path: 'speed',
      name: 'Speed of a replay',
      defaultValue: defaults.speed,
      settings: { options: speeds.map((speed) => ({ value: speed, label: `${speed}×` })) },
    });
});
