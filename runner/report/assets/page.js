// The interactive part of report.html: theme, download, and the plots over time by uPlot. Data stands in #plot-data, written by series.go.
(() => {
  'use strict';
  const byId = (id) => document.getElementById(id);
  const make = (tag, className, text) => {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const button = (text, press) => {
    const b = make('button', 'button', text);
    b.type = 'button';
    b.addEventListener('click', press);
    return b;
  };

  // Numbers with three digits and their unit, as pkg/measure writes them.
  const digits = (v) => {
    if (v === 0) return '0';
    const whole = Math.floor(Math.log10(Math.abs(v))) + 1;
    return v.toFixed(Math.min(Math.max(3 - whole, 0), 6));
  };
  const bytes = (v) => {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let i = 0;
    for (; Math.abs(v) >= 999.5 && i < units.length - 1; i++) v /= 1000;
    return digits(v) + ' ' + units[i];
  };
  const ms = (v) => (v !== 0 && Math.abs(v) < 0.1 ? digits(v * 1000) + ' µs' : Math.abs(v) >= 10000 ? digits(v / 1000) + ' s' : digits(v) + ' ms');
  const formats = {
    'ms': ms, 'ms/req': ms, 'reqps': (v) => digits(v) + ' /s', 'percentunit': (v) => digits(v * 100) + '%',
    'Bps': (v) => bytes(v) + '/s', 'decbytes': bytes, 'bytes/req': bytes, 'cores': (v) => (v === 0 ? '0' : v.toFixed(3)),
  };
  // On an axis "10 ms" says as much as "10.0 ms".
  const plain = (text) => text.replace(/\.0+(?=\D|$)/, '').replace(/(\.\d*?[1-9])0+(?=\D|$)/, '$1');
  const elapsed = (s) => {
    const whole = Math.floor(Math.abs(s));
    return (s < 0 ? '-' : '') + Math.floor(whole / 60) + ':' + String(whole % 60).padStart(2, '0');
  };

  const data = JSON.parse(byId('plot-data').textContent);
  const hidden = new Set(); // apps that are switched off
  const charts = [];
  let range = null; // the zoom that all plots share, in seconds
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let paper = false; // while printing, plots are as wide as a page

  // shade draws the heats behind the lines, with their numbers where there is room.
  const shade = (u) => {
    const c = u.ctx, box = u.bbox, ratio = devicePixelRatio;
    c.save();
    c.beginPath();
    c.rect(box.left, box.top, box.width, box.height);
    c.clip();
    c.font = 10 * ratio + 'px sans-serif';
    c.textAlign = 'center';
    for (const h of data.heats) {
      const from = u.valToPos(h.from, 'x', true), to = u.valToPos(h.to, 'x', true);
      c.fillStyle = css('--band');
      c.fillRect(from, box.top, to - from, box.height);
      if (to - from > 14 * ratio) {
        c.fillStyle = css('--soft');
        c.fillText(String(h.n), (from + to) / 2, box.top + 11 * ratio);
      }
    }
    c.restore();
  };

  // lonely finds the values with a gap on either side: a line cannot show them, a dot does.
  const lonely = (u, i) => {
    const out = [], col = u.data[i];
    let last = null, before = false; // the value before, and whether it has a neighbour
    for (let k = 0; k < col.length; k++) {
      if (col[k] === undefined) continue;
      if (col[k] === null) {
        if (last !== null && !before) out.push(last);
        last = null;
        before = false;
      } else {
        before = last !== null;
        last = k;
      }
    }
    if (last !== null && !before) out.push(last);
    return out;
  };

  const joined = (tab) => {
    const tables = data.apps.map((_, i) => [tab.t[i] || [], tab.v[i] || []]).map((t) => (t[0].length ? t : [[0], [null]]));
    return tables.length > 1 ? uPlot.join(tables) : tables[0];
  };

  // clean rounds down to one digit, so that the ticks of a logarithmic axis fall on whole numbers.
  const clean = (v) => { const magnitude = 10 ** Math.floor(Math.log10(v)); return Math.floor(v / magnitude + 1e-9) * magnitude; };

  // logRange is what a logarithmic axis shows: no zero, nothing below a millicore (that is noise of the kernel's accounting), and at most five decades.
  const logRange = (d, unit) => {
    let low = Infinity, high = 0;
    for (const col of d.slice(1)) for (const v of col) if (v > 0) { low = Math.min(low, v); high = Math.max(high, v); }
    if (!high) return null;
    low = Math.max(low, unit === 'cores' ? 0.001 : high / 1e5);
    if (low >= high) low = high / 10;
    return { low, high, bottom: unit === 'cores' ? low : clean(low / 1.3) };
  };

  const zoom = (source, min, max) => {
    range = min === null ? null : [min, max];
    for (const c of charts) if (c.u && c.u !== source) c.u.setScale('x', range ? { min: range[0], max: range[1] } : { min: c.data[0][0], max: c.data[0][c.data[0].length - 1] });
  };

  const build = (chart) => {
    const format = formats[chart.plot.unit] || digits;
    const grid = { stroke: css('--grid'), width: 1 };
    const axis = { stroke: css('--soft'), grid, ticks: grid, font: '11px system-ui, sans-serif' };
    let zooming = false;
    chart.raw = joined(chart.plot.tabs[chart.tab]);
    const logs = chart.log ? logRange(chart.raw, chart.plot.unit) : null;
    // What lies below a logarithmic axis is drawn at its foot, an idle CPU not at all; the legend tells the true value.
    const foot = logs && chart.plot.unit !== 'cores' ? logs.bottom : null;
    chart.data = logs ? chart.raw.map((col, i) => (i ? col.map((v) => (v === null || v === undefined || v >= logs.low ? v : foot)) : col)) : chart.raw;
    const least = chart.plot.unit === 'percentunit' ? 0.01 : 1;
    const told = (i, k) => { const v = k === null || k === undefined ? null : chart.raw[i][k]; return v === null || v === undefined ? '-' : format(v); };
    const options = {
      width: paper ? (chart.full ? 640 : 310) : Math.max(200, chart.box.clientWidth), height: chart.full ? 300 : 210,
      cursor: { sync: { key: 'race' }, drag: { x: true, y: false }, points: { size: 6 } },
      legend: { live: true, markers: { dash: (_, i) => (data.apps[i - 1].dash.length ? 'dashed' : 'solid') } },
      scales: { x: { time: false }, y: logs ? { distr: 3, range: (_, min, max) => [Math.max(clean((min ?? logs.low) / 1.3), logs.bottom), (max ?? logs.high) * 1.8] } : { range: (_, min, max) => [Math.min(0, min ?? 0), (max || least) * 1.15] } },
      axes: [
        { ...axis, values: (_, ts) => ts.map(elapsed), size: 34, space: 56 },
        { ...axis, values: (_, ts) => ts.map((v) => (v === null ? '' : plain(format(v)))), size: 66 },
      ],
      series: [
        { label: 'time', value: (_, v) => (v === null || v === undefined ? '-' : elapsed(v)) },
        ...data.apps.map((a, i) => ({
          label: a.name, stroke: a.colour, width: a.baseline ? 2.5 : 1.8, dash: a.dash, show: !hidden.has(i), spanGaps: false,
          points: { show: true, size: 4, fill: a.colour, filter: lonely }, value: (_, v, i, k) => told(i, k),
        })),
      ],
      hooks: {
        drawClear: [shade],
        setSeries: [(_, i, o) => { if (i && 'show' in o && o.show === hidden.has(i - 1)) toggle(i - 1); }],
        setSelect: [(u) => { zooming = u.select.width > 0; }],
        setScale: [(u, key) => { if (key === 'x' && zooming) { zooming = false; zoom(u, u.scales.x.min, u.scales.x.max); } }],
      },
    };
    if (chart.u) chart.u.destroy();
    chart.u = new uPlot(options, chart.data, chart.box);
    if (range) chart.u.setScale('x', { min: range[0], max: range[1] });
    chart.u.over.addEventListener('dblclick', () => zoom(chart.u, null));
  };

  const toggles = [];
  const toggle = (i) => {
    if (hidden.has(i)) hidden.delete(i); else hidden.add(i);
    toggles[i].setAttribute('aria-pressed', String(!hidden.has(i)));
    for (const c of charts) if (c.u && c.u.series[i + 1].show === hidden.has(i)) c.u.setSeries(i + 1, { show: !hidden.has(i) });
  };

  const addChart = (plot, full) => {
    const box = make('div', 'plot-box'), head = make('div', 'plot-head'), root = make('div', full ? 'plot full' : 'plot');
    const chart = { plot, full, box, tab: 0, log: false, u: null, data: null };
    const title = make('h3', '', plot.title + (plot.unit === 'cores' ? ' (cores)' : ''));
    title.title = plot.tabs[0].help;
    head.append(title);
    const tabs = plot.tabs.map((t, i) => button(t.name, () => { chart.tab = i; press(); build(chart); }));
    const log = button('log', () => { chart.log = !chart.log; press(); build(chart); });
    const press = () => {
      tabs.forEach((b, i) => b.setAttribute('aria-pressed', String(i === chart.tab)));
      log.setAttribute('aria-pressed', String(chart.log));
      title.title = plot.tabs[chart.tab].help;
      box.setAttribute('aria-label', plot.title + (tabs.length > 1 ? ' ' + plot.tabs[chart.tab].name : '') + ' of each app over time');
    };
    box.setAttribute('role', 'img');
    const logs = logRange(joined(plot.tabs[0]), plot.unit);
    chart.log = logs !== null && logs.high / logs.low > 20 && ['ms', 'ms/req', 'cores'].includes(plot.unit);
    if (tabs.length > 1) head.append(...tabs);
    head.append(log);
    press();
    root.append(head, box);
    byId('plots').append(root);
    charts.push(chart);
    build(chart);
    new ResizeObserver(() => { if (!paper && box.clientWidth && Math.abs(box.clientWidth - chart.u.width) > 1) chart.u.setSize({ width: box.clientWidth, height: chart.u.height }); }).observe(box);
  };

  if (data.plots && data.plots.length) {
    data.apps.forEach((a, i) => {
      const b = button('', () => toggle(i));
      b.classList.add('app-' + i);
      b.append(make('span', 'swatch'), document.createTextNode(a.name));
      b.setAttribute('aria-pressed', 'true');
      toggles.push(b);
      byId('apps').append(b);
    });
    byId('apps').append(button('See all', () => zoom(null, null)));
    data.plots.forEach((p, i) => addChart(p, i === 0));
  }

  const redraw = () => charts.forEach(build);
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const theme = byId('theme');
  theme.hidden = false;
  try { const t = localStorage.getItem('photofinish-theme'); if (t) root.dataset.theme = t; } catch { /* a file may have no storage */ }
  if (root.dataset.theme) redraw();
  theme.addEventListener('click', () => {
    const now = root.dataset.theme || (dark.matches ? 'dark' : 'light');
    root.dataset.theme = now === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem('photofinish-theme', root.dataset.theme); } catch { /* a file may have no storage */ }
    redraw();
  });
  dark.addEventListener('change', redraw);

  // Paper is light and shows what is folded away.
  let before = null;
  addEventListener('beforeprint', () => {
    before = { theme: root.dataset.theme, closed: [...document.querySelectorAll('details:not([open])')] };
    before.closed.forEach((d) => { d.open = true; });
    root.dataset.theme = 'light';
    paper = true;
    redraw();
  });
  addEventListener('afterprint', () => {
    if (!before) return;
    before.closed.forEach((d) => { d.open = false; });
    paper = false;
    if (before.theme) root.dataset.theme = before.theme; else delete root.dataset.theme;
    redraw();
  });

  const download = byId('download');
  download.hidden = false;
  download.href = URL.createObjectURL(new Blob([JSON.stringify(JSON.parse(byId('record').textContent), null, 2) + '\n'], { type: 'application/json' }));
})();
