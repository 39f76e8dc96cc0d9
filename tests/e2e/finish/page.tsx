// The page that the browser's tests look at: the finish panel with recorded frames, in the frame that Grafana puts around a panel.
// page.html?show=<a key of finishFrames>&theme=light&value=<JSON of the panel's options>
import { createTheme, dateTime, EventBusSrv, LoadingState, type PanelProps, ThemeContext } from '@grafana/data';
import { setAppEvents } from '@grafana/runtime';
import { GlobalStyles, PanelChrome } from '@grafana/ui';
import React, { useState } from 'react';
import { createRoot } from 'react-dom/client';

import { FinishPanel } from '../../../src/panels/finish/FinishPanel';
import { type FinishOptions, shownByDefault } from '../../../src/panels/finish/options';
import { finishFrames } from '../panels/finish';

const given = new URLSearchParams(location.search);
const frames = finishFrames[given.get('show') ?? ''] ?? [];
const options: FinishOptions = { ...shownByDefault, ...JSON.parse(given.get('value') ?? '{}') };
const theme = createTheme({ colors: { mode: given.get('theme') === 'light' ? 'light' : 'dark' } });
const events = new EventBusSrv();
setAppEvents(events);

function Page() {
  const [written, write] = useState<object>({ options });
  const [said, say] = useState('');
  React.useEffect(() => {
    const heard = events.getStream({ type: 'alert-success' } as never).subscribe((event) => say(String((event as { payload?: unknown }).payload)));
    return () => heard.unsubscribe();
  }, []);
  const range = { from: dateTime(0), to: dateTime(1), raw: { from: 'now-6h', to: 'now' } };
  const props = {
    ...{ id: 1, title: 'Finish', options, transparent: false, renderCounter: 0, timeZone: 'utc', timeRange: range, eventBus: events },
    data: { state: LoadingState.Done, series: frames, timeRange: range, request: { targets: [{ queryType: 'verdict' }] } },
    fieldConfig: { defaults: {}, overrides: [] },
    onChangeTimeRange: (to: object) => write({ options, range: to }),
    onOptionsChange: () => undefined,
    onFieldConfigChange: () => undefined,
    replaceVariables: (text: string) => text,
  };
  return (
    <>
      <PanelChrome title="Finish" width={window.innerWidth} height={window.innerHeight}>
        {(width, height) => <FinishPanel {...(props as unknown as PanelProps<FinishOptions>)} width={width} height={height} />}
      </PanelChrome>
      <output id="written" hidden>
        {JSON.stringify(written)}
      </output>
      <output id="said" hidden>
        {said}
      </output>
    </>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <Page />
  </ThemeContext.Provider>
);
