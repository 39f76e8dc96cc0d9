import { CoreApp } from '@grafana/data';
import { cleanup, render, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { asList } from '../shared/json';
import { newAlertQuery, newQuery, type RaceQuery } from '../shared/query';
import { answers, dataSource } from '../test/datasource';
import { AnnotationEditor } from './AnnotationEditor';
import { QueryEditor } from './QueryEditor';

function show(query: Partial<RaceQuery>, resources = answers, app?: CoreApp) {
  const props = {
    app,
    datasource: dataSource(resources).datasource,
    query: { refId: 'A', ...query },
    onChange: vi.fn(),
    onRunQuery: vi.fn(),
  };
  render(<QueryEditor {...props} />);
  return { ...props, user: userEvent.setup() };
}

describe('the query editor', () => {
  it.each<[string, Partial<RaceQuery>, string[]]>([
    ['a time series', newQuery, ['Query type', 'Races', 'Race name', 'Apps', 'Measures']],
    ['a verdict', newAlertQuery, ['Query type', 'Races', 'Race name', 'Apps', 'Measures', 'Baseline', 'Value']],
    ['a distribution', { queryType: 'distribution', races: ['ab2'] }, ['Query type', 'Races', 'Apps', 'Baseline']],
    ['a profile', { queryType: 'profile', races: ['ab2'] }, ['Query type', 'Races', 'Apps', 'Value']],
    ['a list of races', { queryType: 'races' }, ['Query type', 'Race name']],
    ['a query without a type, which Grafana sends as a new one', {}, ['Query type', 'Races', 'Race name', 'Apps', 'Measures']],
    ['a query of an unknown type', { queryType: 'nonsense' as never }, ['Query type']],
    ['a query of the wrong form', { queryType: 'distribution', races: 'ab2' as never }, ['Query type', 'Races', 'Apps', 'Baseline']],
    ['a link with nothing but its type', { queryType: 'standings' }, ['Query type', 'Races', 'Race name', 'Apps', 'Measures', 'Baseline']],
  ])('shows what matters to %s, each field with its label', (_name, query, want) => {
    show(query);
    for (const name of want) {
      const role = name === 'Race name' ? 'textbox' : 'combobox';
      expect(screen.getByRole(role, { name }), name).toBeTruthy();
    }
    expect([...screen.queryAllByRole('combobox'), ...screen.queryAllByRole('textbox')]).toHaveLength(want.length);
  });

  it('is changed with the keyboard alone, and runs', async () => {
    const { user, onChange, onRunQuery } = show(newQuery);
    await user.tab();
    expect(document.activeElement).toBe(screen.getByRole('combobox', { name: 'Query type' }));
    await user.keyboard('{ArrowDown}');
    await screen.findByRole('option', { name: /Standings/ });
    await user.keyboard('Standings{Enter}');
    expect(onChange).toHaveBeenCalledWith({ refId: 'A', ...newQuery, queryType: 'standings' });
    expect(onRunQuery).toHaveBeenCalled();
  });

  it('shows what Grafana sends where a query lacks a part, but not in an alert rule, where it sends nothing more', () => {
    show({ queryType: 'standings' });
    expect(screen.getByText('Newest finished')).toBeTruthy();
    expect(screen.getByText('latency_p95')).toBeTruthy();
    cleanup();
    show({ queryType: 'standings' }, answers, CoreApp.UnifiedAlerting);
    expect(screen.queryByText('Newest finished')).toBeNull();
    expect(screen.getByPlaceholderText('All measures')).toBeTruthy();
  });

  it('chooses what was found before what was typed', async () => {
    const { user, onChange } = show({ ...newQuery, measures: [] });
    await user.click(screen.getByRole('combobox', { name: 'Measures' }));
    await user.keyboard('CPU');
    const custom = await screen.findByRole('option', { name: /As it is typed/ });
    expect(screen.getAllByRole('option').at(-1)).toBe(custom);
    await user.keyboard('{ArrowDown}{Enter}');
    expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ measures: ['cpu_cores'] }));
  });

  it('says of the newest race what a live query takes for it', () => {
    show({ ...newQuery, queryType: 'live' });
    expect(screen.getByText('Running or newest')).toBeTruthy();
  });

  it('offers measures with unit and explanation', async () => {
    const { user, onChange } = show({ ...newQuery, measures: [] });
    await user.click(screen.getByRole('combobox', { name: 'Measures' }));
    const option = await screen.findByRole('option', { name: /CPU \(cores\)/ });
    expect(option.textContent).toContain('Lower is better. CPU seconds per second.');
    await user.click(option);
    expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ measures: ['cpu_cores'] }));
  });

  it('offers the measures that the chosen races have of their own', async () => {
    const measures = (params?: { race?: string }) =>
      params?.race === 'ab2'
        ? [...asList(answers.measures), { id: 'checkout_fast', name: 'Fast checkouts', unit: 'percentunit', source: 'script' }]
        : answers.measures;
    const { user, onChange } = show({ ...newQuery, races: ['ab2'], measures: [] }, { ...answers, measures });
    await user.click(screen.getByRole('combobox', { name: 'Measures' }));
    expect(await screen.findByRole('option', { name: /CPU \(cores\)/ })).toBeTruthy();
    await user.click(await screen.findByRole('option', { name: /Fast checkouts/ }));
    expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ measures: ['checkout_fast'] }));
  });

  it('offers what a flame graph can show', async () => {
    const { user, onChange } = show({ queryType: 'profile', races: ['ab2'] });
    await user.click(screen.getByRole('combobox', { name: 'Value' }));
    await user.click(await screen.findByRole('option', { name: /CPU, difference/ }));
    expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ field: 'cpu_diff' }));
  });

  it('offers the newest race and the known ones', async () => {
    const { user, onChange } = show({ ...newQuery, races: [] });
    await user.click(screen.getByRole('combobox', { name: 'Races' }));
    expect(await screen.findByRole('option', { name: /Newest finished/ })).toBeTruthy();
    await user.click(await screen.findByRole('option', { name: /nightly \(runner-race\)/ }));
    expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ races: ['runner-race'] }));
  });

  it('takes what is typed, a template variable say', async () => {
    const { user, onChange } = show(newQuery);
    await user.click(screen.getByRole('combobox', { name: 'Apps' }));
    await user.keyboard('$app');
    await user.click(await screen.findByRole('option', { name: /app/ }));
    expect(onChange).toHaveBeenCalledWith(expect.objectContaining({ apps: ['$app'] }));
  });

  it('says why choices are missing', async () => {
    const { user } = show({ ...newQuery, measures: [] }, { ...answers, measures: new Error('the plugin does not answer') });
    await user.click(screen.getByRole('combobox', { name: 'Measures' }));
    expect(await screen.findByText(/could not be loaded: the plugin does not answer/)).toBeTruthy();
  });

  it('asks for the sparklines of standings and for their history', async () => {
    const { user, onChange } = show({ ...newQuery, queryType: 'standings' });
    for (const [label, field] of [
      ['Sparklines', 'trend'],
      ['Race by race', 'history'],
    ] as const) {
      await user.click(screen.getByRole('radio', { name: label }));
      expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ field }));
    }
  });
});

it('the editor of annotations offers the changes of a history, and then the measures', async () => {
  const onChange = vi.fn();
  const { datasource } = dataSource();
  const query = { refId: 'Anno', queryType: 'events' as const };
  const { rerender } = render(<AnnotationEditor datasource={datasource} query={query} onChange={onChange} onRunQuery={vi.fn()} />);
  expect(screen.queryByRole('combobox', { name: 'Measures' })).toBeNull();
  await userEvent.click(screen.getByRole('radio', { name: 'Changes' }));
  expect(onChange).toHaveBeenCalledWith({ ...query, field: 'changes' });
  rerender(<AnnotationEditor datasource={datasource} query={{ ...query, field: 'changes' }} onChange={onChange} onRunQuery={vi.fn()} />);
  expect(screen.getByRole('combobox', { name: 'Measures' })).toBeTruthy();
  expect(screen.queryByRole('combobox', { name: 'Baseline' })).toBeNull();
});

it('the editor of annotations has no type to choose and writes events', async () => {
  const onChange = vi.fn();
  const query = { refId: 'Anno', queryType: 'races' as const };
  render(<AnnotationEditor datasource={dataSource().datasource} query={query} onChange={onChange} onRunQuery={vi.fn()} />);
  expect(screen.queryByLabelText('Query type')).toBeNull();
  await userEvent.type(screen.getByLabelText('Race name'), 'nightly{Tab}');
  expect(onChange).toHaveBeenCalledWith({ refId: 'Anno', queryType: 'events', name: 'nightly' });
});
