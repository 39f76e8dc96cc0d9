import { type AnnotationEvent, AnnotationEventFieldSource, type AnnotationSupport, type DataFrame, textUtil } from '@grafana/data';
import { of } from 'rxjs';

import { newAnnotationQuery, type RaceQuery } from '../shared/query';
import { AnnotationEditor } from './AnnotationEditor';

const columns = ['time', 'timeEnd', 'title', 'text', 'tags'] as const;
type Mappings = NonNullable<Parameters<NonNullable<AnnotationSupport<RaceQuery>['processEvents']>>[0]['mappings']>;

export const annotationSupport: AnnotationSupport<RaceQuery> = {
  QueryEditor: AnnotationEditor,
  getDefaultQuery: () => newAnnotationQuery,
  prepareQuery: ({ target }) => ({ ...newAnnotationQuery, refId: 'Anno', ...target, queryType: 'events' }),
  processEvents: ({ mappings }, frames) => of(frames.flatMap((frame) => eventsOf(frame, mappings))),
};

/** The events of a frame of `events`. Grafana takes titles and texts for HTML: names of races and apps are none, and lines are to stay lines. */
export function eventsOf(frame: DataFrame, mappings: Mappings = {}): AnnotationEvent[] {
  return Array.from({ length: frame.length }, (_, row) => {
    const value = (column: (typeof columns)[number]): unknown => {
      const { source, value: name } = mappings[column] ?? {};
      switch (source) {
        case AnnotationEventFieldSource.Skip:
          return undefined;
        case AnnotationEventFieldSource.Text:
          return name;
        default:
          return frame.fields.find((field) => field.name === (name ?? column))?.values[row];
      }
    };
    return {
      time: Number(value('time')),
      timeEnd: Number(value('timeEnd')),
      title: html(value('title')),
      text: html(value('text')),
      tags: String(value('tags') ?? '')
        .split(',')
        .filter(Boolean),
    };
  });
}

function html(value: unknown): string {
  return textUtil.escapeHtml(String(value ?? '')).replaceAll('\n', '<br>');
}
