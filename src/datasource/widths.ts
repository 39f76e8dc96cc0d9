// The widths of labels, in Grafana's units of 8 pixels. A window of 400 pixels has room for the field beside them.

/** In the editors of queries, annotations and variables. */
export const labelWidth = 14;

/** In the settings. */
export const configLabelWidth = 16;
