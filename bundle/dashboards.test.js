import { describe, expect, it } from 'vitest';

import { copiesOf, copyOf } from './dashboards.js';

const race = {
  uid: 'photofinish-race',
  id: 7,
  title: 'Race',
  links: [{ url: '/d/photofinish-races' }, { url: '/d/somebody-elses' }],
  panels: [{ links: ['/d/photofinish-race?var-race=${__value.raw}', '/d/photofinish-racing'] }],
};
const uids = ['photofinish-race', 'photofinish-races'];

describe('the provisioned copy of a dashboard', () => {
  it('has a uid of its own and no number', () => {
    expect(copyOf(race, uids)).toMatchObject({ uid: 'photofinish-race-provisioned', id: null, title: 'Race' });
  });

  it('leads to the other copies, and elsewhere as before', () => {
    const { links, panels } = copyOf(race, uids);
    expect(links.map(({ url }) => url)).toEqual(['/d/photofinish-races-provisioned', '/d/somebody-elses']);
    expect(panels[0].links).toEqual(['/d/photofinish-race-provisioned?var-race=${__value.raw}', '/d/photofinish-racing']);
  });

  it('leaves the original as it is', () => {
    const before = structuredClone(race);
    copiesOf([race]);
    expect(race).toEqual(before);
  });
});
