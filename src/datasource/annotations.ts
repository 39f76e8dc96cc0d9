import type { AnnotationSupport } from '@grafana/data';

import { newAnnotationQuery, type RaceQuery } from '../shared/query';
import { AnnotationEditor } from './AnnotationEditor';

/** The frame of `events` has the names that Grafana expects (time, timeEnd, title, text, tags), so nothing has to be mapped. */
export const annotationSupport: AnnotationSupport<RaceQuery> = {
  QueryEditor: AnnotationEditor,
  getDefaultQuery: () => newAnnotationQuery,
  prepareQuery: ({ target }) => ({ ...newAnnotationQuery, refId: 'Anno', ...target, queryType: 'events' }),
};
