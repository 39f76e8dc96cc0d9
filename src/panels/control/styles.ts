import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';

export const panelStyles = (theme: GrafanaTheme2) => ({
  panel: css({ display: 'flex', flexDirection: 'column', overflow: 'hidden', containerType: 'inline-size' }),
  body: css({ flex: '1 1 auto', minHeight: 0, overflowY: 'auto', padding: theme.spacing(0.5, 0.5, 1) }),
  foot: css({
    flex: '0 0 auto',
    borderTop: `1px solid ${theme.colors.border.weak}`,
    padding: theme.spacing(1, 0.5, 0.25),
  }),
  // The form goes on below: where systems hide scroll bars nothing else tells.
  over: css({ position: 'relative', boxShadow: `0 -12px 12px -10px ${theme.isDark ? 'rgba(0, 0, 0, 0.9)' : 'rgba(0, 0, 0, 0.35)'}` }),
  wide: css({ gridColumn: '1 / -1' }),
  // As many fields beside each other as there is room for, down to one at 400 pixels and less.
  fields: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(120px, 1fr))',
    columnGap: theme.spacing(2),
    alignItems: 'start',
  }),
  section: css({ border: 0, margin: 0, padding: 0, minWidth: 0, marginBottom: theme.spacing(2) }),
  legend: css({ ...theme.typography.bodySmall, fontWeight: theme.typography.fontWeightMedium, marginBottom: theme.spacing(0.5) }),
  lane: css({
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 1fr) 60px 78px',
    gap: theme.spacing(1),
    alignItems: 'center',
    padding: theme.spacing(0.5, 0),
    '@container (max-width: 280px)': { gridTemplateColumns: '1fr 1fr', '& > :first-child': { gridColumn: '1 / -1' } },
  }),
  app: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), minWidth: 0 }),
  appName: css({ minWidth: 0, overflowWrap: 'anywhere' }) /* names often differ in their ends only */,
  colour: css({ width: 12, height: 12, borderRadius: 2, flex: '0 0 auto' }),
  card: css({
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.secondary,
    padding: theme.spacing(1.5),
    marginBottom: theme.spacing(1.5),
  }),
  numbers: css({ fontVariantNumeric: 'tabular-nums' }),
  bar: css({ height: 6, borderRadius: 3, background: theme.colors.border.weak, overflow: 'hidden', margin: theme.spacing(1, 0) }),
  // The bar carries data; where motion is unwelcome it jumps.
  done: css({
    height: '100%',
    background: theme.colors.primary.main,
    '@media (prefers-reduced-motion: no-preference)': { transition: 'width 1s linear' },
  }),
  list: css({ margin: 0, paddingLeft: theme.spacing(2) }),
  log: css({
    ...theme.typography.code,
    fontSize: theme.typography.bodySmall.fontSize,
    margin: theme.spacing(0.5, 0, 1),
    padding: theme.spacing(1),
    maxHeight: 160,
    overflow: 'auto',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
    background: theme.colors.background.canvas,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
});
