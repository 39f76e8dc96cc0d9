// What Grafana supplies to plugins, by the names it shares with them in 12.2 and later. Everything else is bundled.
export const supplied = [
  '@emotion/css',
  '@grafana/data',
  '@grafana/runtime',
  '@grafana/ui',
  'lodash',
  'moment',
  'react',
  'react-dom',
  'react-router',
  'rxjs',
];

// A second React in the page breaks every hook, and react/jsx-runtime is not shared by Grafana 12.2: the plugin would not load.
const ownReact = /[\\/]node_modules[\\/](react|react-dom|scheduler)[\\/]/;

/**
 * Says what in a bundle Grafana would not load, one sentence each.
 *
 * @param {Array<{type: string, fileName: string, imports?: string[], dynamicImports?: string[], moduleIds?: string[]}>} files
 *   the output of Rollup
 * @returns {string[]} none if all is well
 */
export function offences(files) {
  const chunks = files.filter((file) => file.type === 'chunk');
  const found = chunks.flatMap(({ fileName, imports = [], dynamicImports = [], moduleIds = [] }) => [
    ...[...imports, ...dynamicImports]
      .filter((name) => !supplied.includes(name))
      .map((name) => `${fileName} imports ${name}, which Grafana does not supply`),
    ...moduleIds.filter((id) => ownReact.test(id)).map((id) => `${fileName} bundles React: ${id}`),
  ]);
  if (chunks.length > 1) {
    found.push(`there are ${chunks.length} chunks: a plugin is one module.js`);
  }
  return found;
}
