import { AnnotationEventFieldSource, toDataFrame } from '@grafana/data';
import { expect, it } from 'vitest';

import { eventsOf } from './annotations';

const frame = toDataFrame({
  fields: [
    { name: 'time', values: [1000] },
    { name: 'timeEnd', values: [2000] },
    { name: 'title', values: ['race <b>x</b>, verdict'] },
    { name: 'text', values: ['slow & sure is slower than control\n<img src=x onerror=alert(1)> is as fast as control'] },
    { name: 'tags', values: ['photofinish,verdict'] },
  ],
});

it('an event is HTML to Grafana: its lines stay lines, and the names in it are no tags', () => {
  expect(eventsOf(frame)).toEqual([
    {
      time: 1000,
      timeEnd: 2000,
      title: 'race &lt;b&gt;x&lt;/b&gt;, verdict',
      text: 'slow &amp; sure is slower than control<br>&lt;img src=x onerror=alert(1)&gt; is as fast as control',
      tags: ['photofinish', 'verdict'],
    },
  ]);
});

it('fields are mapped as the annotation wants them', () => {
  const [event] = eventsOf(frame, {
    text: { source: AnnotationEventFieldSource.Field, value: 'title' },
    title: { source: AnnotationEventFieldSource.Text, value: 'Race' },
    tags: { source: AnnotationEventFieldSource.Skip },
  });
  expect(event).toMatchObject({ text: 'race &lt;b&gt;x&lt;/b&gt;, verdict', title: 'Race', tags: [] });
});
