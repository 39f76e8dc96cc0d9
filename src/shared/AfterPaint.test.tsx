import { act, render, screen } from '@testing-library/react';
import React from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { AfterPaint } from './AfterPaint';

describe('what follows the first paint', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is not there before, nor within the frame that is painted', () => {
    render(<AfterPaint>tools</AfterPaint>);
    expect(screen.queryByText('tools')).toBeNull();
    act(() => requestAnimationFrame(() => expect(screen.queryByText('tools')).toBeNull()));
    act(() => vi.runAllTimers());
    expect(screen.queryByText('tools')).not.toBeNull();
    expect.assertions(3);
  });

  test('never comes where the panel is gone by then', () => {
    const drawn = vi.fn(() => null);
    const Tools = () => drawn();
    const { unmount } = render(
      <AfterPaint>
        <Tools />
      </AfterPaint>
    );
    unmount();
    vi.runAllTimers();
    expect(drawn).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
