import { type BackendSrv, type BackendSrvRequest, config, type DataSourceSrv, setBackendSrv, setDataSourceSrv } from '@grafana/runtime';
import { of, throwError } from 'rxjs';

import { defaultOptions } from '../../../src/panels/control/options';
import recorded from '../../../src/panels/control/testdata/answers.json';
import { instance } from '../control/instance';
import { install } from '../grafana';
import type { Scene } from './scenes';

const { idle, racing, finished, failed, viewer } = recorded;
const renamed = (name: string) => ({ ...racing.open, races: racing.open.races.map((race) => ({ ...race, name })) });

/** What the data source's resource calls answer in a scene: who may do what, the races under way, the script, and the race that is followed. */
interface Answers {
  capabilities?: unknown;
  open?: unknown;
  script?: unknown;
  race?: { id: string };
}

const situations: Record<string, Answers> = {
  idle: {},
  racing: { open: racing.open },
  finished: { race: finished.race },
  failed: { race: failed.race },
  viewer: { capabilities: viewer.capabilities },
  thirty: { script: idle.thirty },
  names: { open: renamed(`🐢🚀 ${'nightly '.repeat(25)}`) },
};

/** Puts what was recorded behind the panel. "no source" is a Grafana without a data source, "gone" one whose data source was deleted. */
export function controlScene(name: string): Scene {
  const { capabilities = idle.capabilities, open = idle.open, script = idle.script, race } = situations[name] ?? {};
  install(instance);
  const sources = name === 'no source' ? [] : [instance];
  setDataSourceSrv({ getList: () => sources, getInstanceSettings: () => sources[0] } as unknown as DataSourceSrv);
  config.bootData.user = { ...config.bootData.user, login: 'ed' };
  sessionStorage.setItem(`photofinish-control-${instance.uid}`, JSON.stringify(race ? { id: race.id } : null));
  const answer = (path: string): unknown => {
    switch (path.split(/[?/]/)[0]) {
      case 'capabilities':
        return capabilities;
      case 'scripts':
        return path === 'scripts' ? { ...idle.scripts, scripts: [idle.script.name] } : script;
      default:
        return path.startsWith('races?') ? open : race;
    }
  };
  const fetch = ({ url }: BackendSrvRequest) =>
    name === 'gone'
      ? throwError(() => ({ status: 404, data: { message: 'Data source not found' } }))
      : of({ data: answer(url.split('/resources/')[1] ?? '') });
  setBackendSrv({ fetch } as unknown as BackendSrv);
  return { options: defaultOptions };
}
