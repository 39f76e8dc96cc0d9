// Dashboards come twice: the app imports those of src/dashboards when it is enabled, and provisioning brings copies for those who keep
// Grafana's configuration in files. Both may be in one Grafana, so the copies have uids of their own, and links that stay among themselves.

const mark = '-provisioned';

/** The uid of a dashboard's provisioned copy. Grafana takes at most 40 characters. */
export const copyUid = (uid) => uid + mark;

/** The provisioned copy of a dashboard; uids are those of all dashboards that are copied. */
export function copyOf(dashboard, uids) {
  const link = new RegExp(`/d/(${uids.join('|')})(?![\\w-])`, 'g');
  const relinked = JSON.parse(JSON.stringify(dashboard), (_key, value) =>
    typeof value === 'string' ? value.replace(link, (_all, uid) => `/d/${copyUid(uid)}`) : value
  );
  return { ...relinked, id: null, uid: copyUid(dashboard.uid) };
}

/** The texts of the copies' files. */
export function copiesOf(dashboards) {
  const uids = dashboards.map(({ uid }) => uid);
  return dashboards.map((dashboard) => `${JSON.stringify(copyOf(dashboard, uids), null, 2)}\n`);
}
