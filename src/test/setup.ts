import Module from 'node:module';

import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

// @grafana/ui requires style sheets, which Node cannot read; nothing here looks at styles.
// Its types leave that part of Node out.
(Module as unknown as { _extensions: Record<string, () => void> })._extensions['.css'] = () => undefined;

// jsdom has none of these, and draws nothing: every element would be 0 high, and a virtual list without height shows no rows.
window.matchMedia ??= (query: string) =>
  Object.assign(new EventTarget(), { matches: false, media: query, onchange: null }) as MediaQueryList;
class Blind {
  observe() {}
  unobserve() {}
  disconnect() {}
}
Object.assign(window, { ResizeObserver: Blind, IntersectionObserver: Blind });
Element.prototype.scrollIntoView ??= () => undefined;
// Grafana measures the options of a list with a canvas: 8 pixels a letter will do.
const canvas: unknown = { measureText: (text: string) => ({ width: 8 * text.length }), font: '' };
Object.assign(HTMLCanvasElement.prototype, { getContext: () => canvas });
Object.assign(HTMLElement.prototype, { getBoundingClientRect: () => new DOMRect(0, 0, 600, 300) });

for (const [name, size] of Object.entries({ clientWidth: 600, clientHeight: 300, offsetWidth: 600, offsetHeight: 300 })) {
  Object.defineProperty(HTMLElement.prototype, name, { configurable: true, value: size });
}

afterEach(cleanup);
