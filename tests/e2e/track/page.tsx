// The page that the browser's tests of the track panel look at: the panel's own bundle, loaded as Grafana loads it, over recorded frames.
// page.html?show=<scene>&theme=light&value=<JSON of width, height and options>
import * as emotion from '@emotion/css';
import * as grafanaData from '@grafana/data';
import * as grafanaRuntime from '@grafana/runtime';
import * as grafanaUI from '@grafana/ui';
import React, { useEffect, useState } from 'react';
import * as reactDOM from 'react-dom';
import { createRoot } from 'react-dom/client';
import * as rxjs from 'rxjs';

import { type Recorded, scenes } from './scenes';

const { createTheme, LoadingState, ThemeContext } = grafanaData;
const { GlobalStyles } = grafanaUI;
const shared: Record<string, unknown> = {
  ...{ react: React, 'react-dom': reactDOM, rxjs, '@emotion/css': emotion },
  ...{ '@grafana/data': grafanaData, '@grafana/runtime': grafanaRuntime, '@grafana/ui': grafanaUI },
};

/** Loads a plugin's bundle as Grafana does: an AMD module that is given what is shared. */
function load(path: string): Promise<grafanaData.PanelPlugin> {
  return new Promise((resolve, reject) => {
    const exports: Record<string, unknown> = {};
    Object.assign(window, {
      define: (names: string[], factory: (...modules: unknown[]) => void) => {
        factory(...names.map((name) => (name === 'exports' ? exports : shared[name])));
        resolve(exports.plugin as grafanaData.PanelPlugin);
      },
    });
    document.head.append(Object.assign(document.createElement('script'), { src: path, onerror: reject }));
  });
}

const given = new URLSearchParams(location.search);
const { width = 1280, height = 420, options = {} } = JSON.parse(given.get('value') ?? '{}');

async function main() {
  const recorded: Recorded = await (await fetch('recorded.json')).json();
  const scene = scenes[given.get('show') ?? '']?.(recorded);
  const plugin = await load('panel/module.js');
  const theme = createTheme({ colors: { mode: given.get('theme') === 'light' ? 'light' : 'dark' } });
  const Panel = plugin.panel as React.ComponentType<Partial<grafanaData.PanelProps>>;

  function Shown() {
    const [series, setSeries] = useState(scene?.frames() ?? []);
    useEffect(() => {
      // A test lets events come when it wants them to.
      Object.assign(window, { tell: (events: number) => setSeries(scene?.tell?.(events) ?? []) });
    }, []);
    const data = { series, state: LoadingState.Done, timeRange: grafanaData.getDefaultTimeRange() };
    return <Panel {...{ data, options, width, height }} />;
  }

  document.body.style.background = theme.colors.background.canvas;
  createRoot(document.getElementById('root') as HTMLElement).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div id="panel" style={{ width, height, background: theme.colors.background.primary, overflow: 'hidden' }}>
        <Shown />
      </div>
      <output id="written" hidden />
    </ThemeContext.Provider>
  );
}

void main();
