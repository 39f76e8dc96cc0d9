import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';

import { colourOf, dashOf, type Livery } from '../../shared/livery';
import type { Finish } from './model/finish';

/** The colours that pictures are drawn in: as attributes, so that a copy of a picture looks the same outside of Grafana. */
export interface Look {
  text: string;
  soft: string;
  grid: string;
  panel: string;
  font: string;
  colour: (app: string) => string;
  dash: (app: string) => string | undefined;
}

export function useLook({ apps, baseline }: Pick<Finish, 'apps' | 'baseline'>): Look {
  const { colors, typography } = useTheme2();
  const livery: Livery = { apps: apps.map(({ app }) => app), baseline };
  return {
    text: colors.text.primary,
    soft: colors.text.secondary,
    grid: colors.border.weak,
    panel: colors.background.primary,
    font: typography.fontFamily,
    colour: (app) => colourOf(livery, app),
    dash: (app) => dashOf(livery, app).join(' ') || undefined,
  };
}

/** As large as the tools are: the sentences must not move once they are there. In pixels. */
const toolsSize = { width: 124, height: 32 };

export const getStyles = (theme: GrafanaTheme2) => ({
  panel: css({
    position: 'relative',
    height: '100%',
    overflow: 'auto',
    fontVariantNumeric: 'tabular-nums',
    containerType: 'inline-size',
    '@media print': { height: 'auto', overflow: 'visible' },
  }),
  top: css({
    display: 'flex',
    alignItems: 'flex-start',
    gap: theme.spacing(1),
    '@container (max-width: 500px)': { flexDirection: 'column-reverse' },
  }),
  sentences: css({ flex: 1, minWidth: 0, listStyle: 'none', margin: 0, padding: 0 }),
  sentence: css({
    display: 'flex',
    gap: theme.spacing(1),
    fontSize: theme.typography.h4.fontSize,
    lineHeight: 1.4,
    marginBottom: theme.spacing(0.5),
    overflowWrap: 'anywhere',
    '& > :last-child': { minWidth: 0 },
    '@container (max-width: 500px)': { fontSize: theme.typography.body.fontSize },
  }),
  swatch: css({ flex: 'none', alignSelf: 'flex-start', marginTop: '0.7em', width: 22, height: 4 }),
  mark: css({ fontWeight: theme.typography.fontWeightMedium, marginRight: theme.spacing(0.75) }),
  good: css({ color: theme.colors.success.text }),
  bad: css({ color: theme.colors.error.text }),
  plain: css({ color: theme.colors.text.secondary }),
  note: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize, margin: theme.spacing(0.5, 0) }),
  tools: css({
    display: 'flex',
    flex: 'none',
    alignSelf: 'flex-start',
    marginLeft: 'auto',
    justifyContent: 'flex-end',
    alignItems: 'center',
    minWidth: toolsSize.width,
    minHeight: toolsSize.height,
    gap: theme.spacing(0.5),
    '@media print': { display: 'none' },
  }),
  apps: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(0.5), margin: theme.spacing(1, 0) }),
  chip: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.75),
    maxWidth: 220,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.pill,
    background: 'none',
    color: theme.colors.text.primary,
    padding: theme.spacing(0.25, 1),
    fontSize: theme.typography.bodySmall.fontSize,
    '&:hover': { background: theme.colors.action.hover },
    '&[aria-pressed="true"]': { borderColor: theme.colors.text.primary, background: theme.colors.action.selected },
  }),
  clipped: css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
  pictures: css({
    display: 'grid',
    gap: theme.spacing(2, 3),
    '@container (min-width: 900px)': { gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)' },
  }),
  figure: css({ margin: 0, minWidth: 0, breakInside: 'avoid', position: 'relative' }),
  caption: css({ fontWeight: theme.typography.fontWeightMedium, marginBottom: theme.spacing(0.5) }),
  svg: css({
    display: 'block',
    width: '100%',
    touchAction: 'pan-y',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: 2 },
  }),
  numbers: css({
    fontSize: theme.typography.bodySmall.fontSize,
    summary: { cursor: 'pointer', color: theme.colors.text.secondary },
  }),
});

export type Styles = ReturnType<typeof getStyles>;
