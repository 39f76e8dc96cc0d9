interface Dashboard {
  uid: string;
}

export function copyUid(uid: string): string;
export function copyOf<D extends Dashboard>(dashboard: D, uids: readonly string[]): D & { id: null };
export function copiesOf(dashboards: readonly Dashboard[]): string[];
