import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';

/** Room for the runner behind the starting line, and for the finish, in pixels. */
export const capsule = { width: 32, height: 14, finish: 8 };

/** As high as its buttons make it: what is above must not move once they are there. In pixels. */
const transportHeight = 33;

const columns = (gauges: number, name = 15) => `2.6em minmax(7em, ${name}em) minmax(0, 1fr) ${gauges > 0 ? `${gauges * 5.8}em` : ''}`;

export const getStyles = (theme: GrafanaTheme2, gauges: number) => ({
  track: css({
    display: 'flex',
    flexDirection: 'column',
    height: '100%',
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontVariantNumeric: 'tabular-nums',
  }),
  status: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(0, 1),
    padding: theme.spacing(0, 1, 0.5),
    color: theme.colors.text.secondary,
    '& b': { color: theme.colors.text.primary, fontWeight: theme.typography.fontWeightMedium },
    '& [data-stale]': { color: theme.colors.warning.text },
  }),
  lanes: css({
    flex: 1,
    minHeight: 0,
    overflowY: 'auto',
    display: 'flex',
    flexDirection: 'column',
    padding: theme.spacing(0, 1),
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.border}`, outlineOffset: -2 },
  }),
  row: css({
    flex: '1 0 auto',
    display: 'grid',
    gridTemplateColumns: columns(gauges),
    columnGap: theme.spacing(1),
    alignItems: 'center',
    minHeight: 38,
    maxHeight: 84,
    borderTop: `1px solid ${theme.colors.border.weak}`,
    '&[data-out="true"]': { color: theme.colors.text.secondary },
  }),
  stacked: css({
    gridTemplateColumns: '1.6em minmax(0, 1fr)',
    gridTemplateRows: 'auto minmax(24px, 1fr) auto',
    gridTemplateAreas: '"place name" "lane lane" "gauges gauges"',
    rowGap: 2,
    padding: theme.spacing(0.5, 0),
    maxHeight: 130,
    '& > [data-part="place"]': { gridArea: 'place', textAlign: 'left' },
    '& > [data-part="name"]': { gridArea: 'name' },
    '& > [data-part="lane"]': { gridArea: 'lane' },
    '& > [data-part="gauges"]': { gridArea: 'gauges', gridTemplateColumns: 'repeat(auto-fit, minmax(4.4em, 1fr))' },
  }),
  // Where there is room for the gauges beside the name.
  beside: css({
    gridTemplateColumns: `1.6em minmax(0, 1fr) ${Math.max(1, gauges) * 5.2}em`,
    gridTemplateRows: 'auto minmax(24px, 1fr)',
    gridTemplateAreas: '"place name gauges" "lane lane lane"',
    maxHeight: 110,
  }),
  // App and outcome beside each other, where there is no height for two lines; the outcome is what may not be cut off.
  inline: css({
    display: 'flex',
    alignItems: 'baseline',
    gap: theme.spacing(1),
    '& > :last-child': { flex: '0 0 auto', maxWidth: '70%' },
  }),
  dense: css({ minHeight: 26, gridTemplateColumns: columns(gauges, 21), '& > [data-part="place"]': { fontSize: '1.3em' } }),
  head: css({
    position: 'sticky',
    top: 0,
    zIndex: 2,
    flex: '0 0 auto',
    minHeight: 22,
    color: theme.colors.text.secondary,
    background: theme.colors.background.primary,
    border: 'none',
  }),
  place: css({
    fontSize: '1.7em',
    lineHeight: 1,
    fontWeight: theme.typography.fontWeightMedium,
    textAlign: 'right',
    '&[data-none="true"]': { color: theme.colors.text.disabled },
  }),
  name: css({
    minWidth: 0,
    lineHeight: 1.25,
    '& > *': { display: 'block', overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  }),
  app: css({ fontWeight: theme.typography.fontWeightMedium, minWidth: '3em' }),
  outcome: css({
    color: theme.colors.text.secondary,
    '&[data-tone="bad"]': { color: theme.colors.error.text },
    '&[data-tone="good"]': { color: theme.colors.success.text },
  }),
  axis: css({ display: 'flex', justifyContent: 'space-between', paddingLeft: capsule.width, whiteSpace: 'nowrap', overflow: 'hidden' }),
  lane: css({
    position: 'relative',
    height: '100%',
    minHeight: 24,
    overflow: 'hidden',
    background: `linear-gradient(${theme.colors.border.weak}, ${theme.colors.border.weak}) center / 100% 1px no-repeat`,
  }),
  course: css({ position: 'absolute', inset: `0 ${capsule.finish}px 0 ${capsule.width}px` }),
  start: css({ position: 'absolute', inset: '4px auto 4px -1px', width: 1, background: theme.colors.border.medium }),
  tick: css({ position: 'absolute', top: '50%', height: 10, marginTop: -5, width: 1, background: theme.colors.border.strong }),
  mover: css({ position: 'absolute', inset: 0, willChange: 'transform', pointerEvents: 'none' }),
  runner: css({
    position: 'absolute',
    right: '100%',
    top: '50%',
    width: capsule.width - 2,
    height: capsule.height,
    marginTop: -capsule.height / 2,
    borderRadius: capsule.height / 2,
    boxShadow: `0 0 0 1px ${theme.colors.border.strong}`, // some colours of the palette are as dark as the dark theme
    '[data-out="true"] &': { filter: 'grayscale(1)', opacity: 0.6 },
  }),
  cross: css({
    position: 'absolute',
    inset: 0,
    lineHeight: `${capsule.height}px`,
    textAlign: 'center',
    fontSize: 11,
    fontWeight: 700,
    color: theme.colors.background.primary,
  }),
  ghost: css({
    position: 'absolute',
    right: '100%',
    top: '50%',
    width: capsule.width - 2,
    height: capsule.height + 6,
    marginTop: -(capsule.height + 6) / 2,
    borderRadius: (capsule.height + 6) / 2,
    border: `1px dashed ${theme.colors.text.secondary}`,
  }),
  trail: css({
    position: 'absolute',
    right: `calc(100% + ${capsule.width - 6}px)`,
    top: '50%',
    height: 4,
    marginTop: -2,
    borderRadius: 2,
  }),
  finish: css({
    position: 'absolute',
    inset: '0 0 0 auto',
    width: capsule.finish,
    background: `conic-gradient(${theme.colors.text.primary} 25%, transparent 0 50%, ${theme.colors.text.primary} 0 75%, transparent 0) 0 0 / ${capsule.finish}px ${capsule.finish}px`,
    opacity: 0.7,
  }),
  gauges: css({ display: 'grid', gridTemplateColumns: `repeat(${Math.max(1, gauges)}, minmax(0, 1fr))`, columnGap: theme.spacing(1) }),
  gauge: css({ minWidth: 0, textAlign: 'right', whiteSpace: 'nowrap', lineHeight: 1.3 }),
  gaugeTitle: css({ display: 'block', color: theme.colors.text.secondary, overflow: 'hidden', textOverflow: 'ellipsis' }),
  bar: css({ position: 'relative', height: 3, marginTop: 2, borderRadius: 1.5, background: theme.colors.border.weak }),
  level: css({ position: 'absolute', inset: 0, borderRadius: 1.5, transformOrigin: 'left', background: 'currentcolor' }),
  limit: css({ position: 'absolute', top: -3, bottom: -3, width: 2, marginLeft: -2, background: theme.colors.text.primary }),
  transport: css({
    display: 'flex',
    minHeight: transportHeight,
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(0.5, 1),
    padding: theme.spacing(0.5, 1),
    borderTop: `1px solid ${theme.colors.border.weak}`,
    '& input[type="range"]': { flex: '1 1 8em', minWidth: '6em', accentColor: theme.colors.primary.main, cursor: 'pointer' },
    '& input:focus-visible': { outline: `2px solid ${theme.colors.primary.border}`, outlineOffset: 2 },
  }),
  unseen: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)', whiteSpace: 'nowrap' }),
});

export type Styles = ReturnType<typeof getStyles>;
