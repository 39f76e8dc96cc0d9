/** What the options of the panel say. */
export interface ControlOptions {
  /** The uid of the data source, or a variable; empty is the dashboard's variable `datasource`, or the only one there is. */
  datasource: string;
  /** The script that is chosen at first; empty is the first one. */
  script: string;
}

export const defaultOptions: ControlOptions = { datasource: '', script: '' };
