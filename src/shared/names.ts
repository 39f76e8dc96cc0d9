/** The ids of CONTRACT.md. */
export const appId = 'photofinish-race-app';
export const dataSourceId = 'photofinish-race-datasource';
