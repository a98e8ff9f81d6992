import { defineConfig, mergeConfig } from 'vitest/config';
import endToEnd from './vitest.config.ts';

// One Keystone and one Cinder serve all files.
export default mergeConfig(
  endToEnd,
  defineConfig({ test: { include: ['live/**/*.test.ts'], globalSetup: 'live/global-setup.ts' } }),
);
