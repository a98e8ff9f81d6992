import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../vitest.config.ts';

// Machines are booted one after the other: the tests share the processor with qemu.
export default mergeConfig(
  shared,
  defineConfig({ test: { fileParallelism: false, hookTimeout: 300_000, testTimeout: 300_000 } }),
);
