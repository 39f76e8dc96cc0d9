import { type AbsoluteTimeRange, AppEvents, type TimeRange } from '@grafana/data';
import { getAppEvents } from '@grafana/runtime';
import { Dropdown, IconButton, Menu, ToolbarButton, useTheme2 } from '@grafana/ui';
import React from 'react';

import { copyPicture, copyText } from './clipboard';
import { csvOf, markdownOf, posterOf } from './model/export';
import type { Finish } from './model/finish';
import { zoomTo } from './model/zoom';

interface Props {
  finish: Finish;
  width: number;
  timeRange: TimeRange;
  onChangeTimeRange: (range: AbsoluteTimeRange) => void;
  pictures: () => Array<{ title: string; svg: SVGSVGElement | null }>;
}

/** What can be done with the result: take it elsewhere, and show the dashboard's other panels the time of the race. */
export function Tools({ finish, width, timeRange, onChangeTimeRange, pictures }: Props) {
  const theme = useTheme2();
  const file = `${finish.id || 'race'}-finish`;
  const poster = () =>
    posterOf({
      finish,
      width,
      background: theme.colors.background.primary,
      text: theme.colors.text.primary,
      soft: theme.colors.text.secondary,
      font: theme.typography.fontFamily,
      pictures: pictures().flatMap(({ title, svg }) => (svg ? [{ title, markup: svg.outerHTML, height: svg.clientHeight }] : [])),
    });
  const copyPoster = () => {
    const { markup, height } = poster();
    return copyPicture(markup, width + 32, height, `${file}.png`);
  };
  const item = (label: string, icon: 'file-alt' | 'table' | 'camera', copy: () => Promise<'copied' | 'saved'>) => (
    <Menu.Item label={label} icon={icon} onClick={() => void tell(label, copy)} />
  );
  const menu = (
    <Menu>
      {item('PNG', 'camera', copyPoster)}
      {item('CSV', 'table', () => copyText(csvOf(finish), `${file}.csv`, 'text/csv'))}
      {item('Markdown', 'file-alt', () => copyText(markdownOf(finish), `${file}.md`, 'text/markdown'))}
    </Menu>
  );
  const zoom = zoomTo(finish, timeRange.from.valueOf(), timeRange.to.valueOf());
  return (
    <>
      {zoom && (
        <IconButton name="clock-nine" tooltip="Show the time of this race in the whole dashboard" onClick={() => onChangeTimeRange(zoom)} />
      )}
      <Dropdown overlay={menu} placement="bottom-end">
        <ToolbarButton icon="copy" variant="canvas" tooltip="Copy the result as PNG, CSV or Markdown" isOpen={false}>
          Copy
        </ToolbarButton>
      </Dropdown>
    </>
  );
}

async function tell(label: string, copy: () => Promise<'copied' | 'saved'>): Promise<void> {
  const events = getAppEvents();
  try {
    const done = await copy();
    const text = done === 'copied' ? `${label} is on the clipboard` : `${label} was saved as a file: this page may not use the clipboard`;
    events.publish({ type: AppEvents.alertSuccess.name, payload: [text] });
  } catch (error) {
    events.publish({
      type: AppEvents.alertError.name,
      payload: [`${label} could not be copied: ${error instanceof Error ? error.message : error}`],
    });
  }
}
