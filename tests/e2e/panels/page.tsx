// The page that the browser's tests look at: a panel's own bundle, loaded as Grafana loads it, over recorded frames.
// page.html?show=<panel>/<scene>&theme=light&value=<JSON of width, height and options>
import * as emotion from '@emotion/css';
import * as grafanaData from '@grafana/data';
import * as grafanaRuntime from '@grafana/runtime';
import * as grafanaUI from '@grafana/ui';
import React, { useEffect, useState } from 'react';
import * as reactDOM from 'react-dom';
import { createRoot } from 'react-dom/client';
import * as rxjs from 'rxjs';

import { sceneOf } from './scenes';

const { createTheme, dateTime, EventBusSrv, LoadingState, ThemeContext } = grafanaData;
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
const [panel = '', name = ''] = (given.get('show') ?? '').split('/');
const { width = 1280, height = 420, options = {} } = JSON.parse(given.get('value') ?? '{}');

async function main() {
  const scene = sceneOf(panel, name);
  const plugin = await load(`panels/${panel}/module.js`);
  // Pictures must not depend on the fonts of a machine: what Inter lacks is in those of packages, too.
  const theme = createTheme({
    colors: { mode: given.get('theme') === 'light' ? 'light' : 'dark' },
    typography: { fontFamily: "Inter, 'Noto Emoji', 'Noto Sans Symbols 2'" },
  });
  const Panel = plugin.panel as React.ComponentType<Partial<grafanaData.PanelProps>>;
  const range = { from: dateTime(0), to: dateTime(1), raw: { from: 'now-6h', to: 'now' } };
  const still = { timeRange: range, timeZone: 'utc', replaceVariables: (text: string) => text, eventBus: new EventBusSrv() };

  function Shown() {
    const [told, setTold] = useState({ series: scene.frames?.() ?? [], errors: scene.errors });
    useEffect(() => {
      // A test lets events come when it wants them to, and queries fail.
      const tell = (events: number) => setTold({ series: scene.tell?.(events) ?? [], errors: undefined });
      const fail = (message: string) => setTold({ series: [], errors: [{ message }] });
      Object.assign(window, { tell, fail });
    }, []);
    const state = told.errors ? LoadingState.Error : LoadingState.Done;
    const data = { ...told, state, timeRange: range, request: scene.request } as grafanaData.PanelData;
    return <Panel {...{ ...still, data, options: { ...scene.options, ...options }, ...inner }} />;
  }

  const padding = plugin.noPadding ? 0 : theme.spacing.gridSize; // as Grafana puts around a panel
  const inner = { width: width - 2 * padding, height: height - 2 * padding };
  document.body.style.background = theme.colors.background.canvas;
  const root = createRoot(document.getElementById('root') as HTMLElement);
  const show = (content: React.ReactNode) =>
    root.render(
      <ThemeContext.Provider value={theme}>
        <GlobalStyles />
        <div id="panel" style={{ width, height, padding, boxSizing: 'border-box', background: theme.colors.background.primary, overflow: 'hidden' }}>
          {content}
        </div>
        <output id="written" hidden />
      </ThemeContext.Provider>
    );
  show(null); // Grafana itself is there before its panels are
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  performance.mark('mounted');
  show(<Shown />);

  // The panel once more, by when libraries are warm as they are in a Grafana in use; ms to the end of the first frame with anything of it.
  const again = async () => {
    show(null);
    await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
    const began = performance.now();
    show(<Shown />);
    await new Promise<void>((rendered) => {
      const frame = () => (document.querySelector('#panel > *') ? setTimeout(rendered) : requestAnimationFrame(frame));
      requestAnimationFrame(frame);
    });
    return performance.now() - began;
  };
  Object.assign(window, { again });
}

void main();
