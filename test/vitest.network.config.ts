import { readFileSync } from 'node:fs';
import { defineConfig, mergeConfig } from 'vitest/config';
import endToEnd from './vitest.config.ts';

// In the namespace of an ordinary user there is no account but root: no servers with accounts of their own, no files by their handles.
const [, , accounts = ''] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
const exclude = accounts === '1' ? ['network/as-root/**'] : [];

// All files share one network namespace, one after the other.
export default mergeConfig(endToEnd, defineConfig({ test: { include: ['network/**/*.test.ts'], exclude } }));
