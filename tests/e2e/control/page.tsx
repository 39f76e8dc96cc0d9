// The control panel as a dashboard shows it: its variable and time range are those of the address.
// page.html?theme=light&value=<JSON of {width, height}>
import { createTheme, dateTime, type PanelProps, ThemeContext } from '@grafana/data';
import { config, type DataSourceSrv, locationService, setDataSourceSrv } from '@grafana/runtime';
import { GlobalStyles } from '@grafana/ui';
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { ControlPanel } from '../../../src/panels/control/ControlPanel';
import { type ControlOptions, defaultOptions } from '../../../src/panels/control/options';
import { install } from '../grafana';
import { instance } from './instance';

const given = new URLSearchParams(location.search);
const { width = 560, height = 860, login = 'ed' } = JSON.parse(given.get('value') ?? '{}');

function Dashboard() {
  const [search, setSearch] = useState(locationService.getSearch());
  useEffect(() => locationService.getHistory().listen(() => setSearch(locationService.getSearch())), []);
  const [from, to] = [search.get('from') ?? 'now-1h', search.get('to') ?? 'now'];
  const [opened] = useState(() => Date.now());
  const at = (text: string) => dateTime(text.startsWith('now') ? opened : Number(text));
  const range = { from: at(from), to: at(to), raw: { from, to } };
  const replaceVariables = (text: string) => text.replace('${race}', search.get('var-race') ?? '$latest');
  const props = { options: defaultOptions, width: width - 16, height: height - 16, timeRange: range, timeZone: 'utc', replaceVariables };
  return <ControlPanel {...(props as unknown as PanelProps<ControlOptions>)} />;
}

function main() {
  install(instance);
  setDataSourceSrv({ getList: () => [instance], getInstanceSettings: () => instance } as unknown as DataSourceSrv);
  config.bootData.user = { ...config.bootData.user, login };
  const theme = createTheme({ colors: { mode: given.get('theme') === 'light' ? 'light' : 'dark' } });
  createRoot(document.getElementById('root') as HTMLElement).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <section
        aria-label="panel"
        style={{ width, height, padding: 8, boxSizing: 'border-box', background: theme.colors.background.primary }}
      >
        <Dashboard />
      </section>
      <output id="written" hidden />
    </ThemeContext.Provider>
  );
}

main();
