import grafana from '@grafana/eslint-config';

export default [
  { ignores: ['dist', '**/node_modules', 'races', 'test-results', 'playwright', 'docs', 'pkg', 'runner', 'testapps', 'tests/*.js'] },
  ...grafana,
  { files: ['**/*.ts', '**/*.tsx'], rules: { '@typescript-eslint/no-explicit-any': 'error' } },
  { files: ['**/*.js', '**/*.ts', '**/*.tsx'], rules: { 'no-console': 'error' } },
];
