// The page that the browser's tests look at: one editor, what it wrote, and what the back end answers to it.
// page.html?show=query|variable|annotation|config&theme=light&value=<JSON of what is edited>
import {
  CoreApp,
  createTheme,
  type DataQueryRequest,
  dateTime,
  type DataSourceInstanceSettings,
  type DataSourceSettings,
  PluginType,
  ThemeContext,
} from '@grafana/data';
import { Button, GlobalStyles } from '@grafana/ui';
import React, { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { lastValueFrom } from 'rxjs';

import { ConfigEditor } from '../../src/datasource/ConfigEditor';
import { DataSource } from '../../src/datasource/DataSource';
import { QueryEditor } from '../../src/datasource/QueryEditor';
import type { RaceVariables } from '../../src/datasource/variableSupport';
import { newQuery, type RaceQuery } from '../../src/shared/query';
import type { RaceSecrets, RaceSettings } from '../../src/shared/settings';
import type { VariableQuery } from '../../src/shared/variableQuery';
import { install } from './grafana';

const given = new URLSearchParams(location.search);
const value = JSON.parse(given.get('value') ?? '{}');
const meta = { id: 'photofinish-race-datasource', name: 'Photofinish', type: PluginType.datasource, module: '', baseUrl: '' };
const info = { author: { name: '' }, description: '', links: [], logos: { large: '', small: '' }, screenshots: [], updated: '', version: '' };
const instance: DataSourceInstanceSettings<RaceSettings> = {
  ...{ id: 1, uid: 'pf', type: meta.id, name: 'Photofinish', access: 'proxy', readOnly: false, jsonData: {} },
  meta: { ...meta, info },
};

async function main() {
  const { from, to } = await (await fetch('scene.json')).json();
  install(instance);
  const datasource = new DataSource(instance);
  const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  const request = { requestId: 'e2e', app: CoreApp.Explore, interval: '1s', intervalMs: 1000, maxDataPoints: 1000, range };
  const scope = { scopedVars: {}, startTime: 0, timezone: 'utc' };
  const theme = createTheme({ colors: { mode: given.get('theme') === 'light' ? 'light' : 'dark' } });

  /** What the query's answer is made of: its frames' fields, or its error. */
  async function run(query: RaceQuery): Promise<string> {
    const { data, errors } = await lastValueFrom(datasource.query({ ...request, ...scope, targets: [query] } as DataQueryRequest<RaceQuery>));
    return errors?.[0]?.message ?? data.map((frame) => `${frame.length}: ${frame.fields.map((f: { name: string }) => f.name).join(' ')}`).join('\n');
  }

  function Query() {
    const [query, setQuery] = useState<RaceQuery>({ refId: 'A', ...newQuery, ...value });
    const [answer, setAnswer] = useState('');
    const tell = () => setTimeout(() => setQuery((now) => (void run(now).then(setAnswer, (e) => setAnswer(String(e.message ?? e))), now)));
    const props = { datasource, query, range, onChange: setQuery, onRunQuery: tell };
    const Editor = given.get('show') === 'annotation' ? (datasource.annotations?.QueryEditor ?? QueryEditor) : QueryEditor;
    const editor = (
      <>
        <Editor {...props} />
        <Button variant="secondary" onClick={tell}>
          Run query
        </Button>
      </>
    );
    return <Shown editor={editor} value={query} answer={answer} />;
  }

  function Variable() {
    const { editor: Editor } = datasource.variables as RaceVariables;
    const [query, setQuery] = useState<VariableQuery>({ refId: 'v', ...value });
    return <Shown editor={<Editor {...{ datasource, query, range, onChange: setQuery, onRunQuery: () => undefined }} />} value={query} answer="" />;
  }

  function Config() {
    const [options, setOptions] = useState<DataSourceSettings<RaceSettings, RaceSecrets>>({
      ...{ id: 1, uid: 'pf', orgId: 1, name: 'Photofinish', typeLogoUrl: '', type: meta.id, typeName: '', access: 'proxy', url: '', user: '' },
      ...{ database: '', basicAuth: false, basicAuthUser: '', isDefault: false, jsonData: {}, secureJsonFields: {}, readOnly: false },
      ...{ withCredentials: false, ...value },
    });
    const [answer, setAnswer] = useState('');
    const saveAndTest = async () => {
      await fetch('/api/datasources/uid/pf', { method: 'PUT', body: JSON.stringify(options) });
      const { message } = await datasource.testDatasource().catch((problem) => problem);
      setAnswer(message);
    };
    const editor = (
      <>
        <ConfigEditor options={options} onOptionsChange={setOptions} />
        <Button onClick={() => void saveAndTest()}>Save &amp; test</Button>
      </>
    );
    return <Shown editor={editor} value={options} answer={answer} />;
  }

  const shows: Record<string, React.ComponentType> = { query: Query, annotation: Query, variable: Variable, config: Config };
  const Show = shows[given.get('show') ?? 'query'] ?? Query;
  createRoot(document.getElementById('root') as HTMLElement).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Show />
    </ThemeContext.Provider>
  );
}

function Shown({ editor, value: written, answer }: { editor: React.ReactNode; value: unknown; answer: string }) {
  return (
    <>
      {editor}
      <output id="written" hidden>
        {JSON.stringify(written)}
      </output>
      <output id="answer">{answer}</output>
    </>
  );
}

void main();
