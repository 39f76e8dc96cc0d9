import { PanelPlugin } from '@grafana/data';

import { FinishPanel } from './FinishPanel';
import { type FinishOptions, shownByDefault } from './options';

export const plugin = new PanelPlugin<FinishOptions>(FinishPanel).setPanelOptions((builder) =>
  builder
    .addBooleanSwitch({
      path: 'distributions',
      name: 'Distributions',
      description: 'How the latency of each app is spread',
      defaultValue: shownByDefault.distributions,
    })
    .addBooleanSwitch({
      path: 'ratios',
      name: 'Ratios',
      description: 'The latency over the baseline’s, percentile by percentile',
      defaultValue: shownByDefault.ratios,
    })
    .addBooleanSwitch({
      path: 'capacity',
      name: 'Capacity',
      description: 'The highest rate that each app holds, where it was searched',
      defaultValue: shownByDefault.capacity,
    })
    .addBooleanSwitch({
      path: 'audit',
      name: 'Audit',
      description: 'What was found about the fairness of the race',
      defaultValue: shownByDefault.audit,
    })
);
