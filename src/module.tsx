import { AppPlugin } from '@grafana/data';

import { Overview } from './app/Overview';

export const plugin = new AppPlugin().setRootPage(Overview);
