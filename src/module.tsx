import { AppPlugin } from '@grafana/data';

import { ConfigPage } from './app/ConfigPage';
import { Overview } from './app/Overview';

export const plugin = new AppPlugin().setRootPage(Overview).addConfigPage({ id: 'set-up', title: 'Set-up', icon: 'cog', body: ConfigPage });
