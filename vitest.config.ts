import { defineConfig } from 'vitest/config';

const conditions = ['@ironbark/source', 'module', 'node', 'development|production'];
export default defineConfig({
  resolve: { conditions },
  test: { include: ['**/test/**/*.test.ts', '{workspace,end-to-end}/**/*.test.ts'], exclude: ['**/node_modules/**'] },
  ssr: { resolve: { conditions, externalConditions: ['@ironbark/source'] } },
});
