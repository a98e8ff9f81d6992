import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { discoverPlugins, loadPlugins, silentLogger } from '@ironbark/core';
import { builtinDrivers, createEngine, type RunningEngine } from '@ironbark/engine';
import { openSqliteStore } from '@ironbark/store';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../src/index.ts';

export interface RealApi {
  readonly app: FastifyInstance;
  readonly engine: RunningEngine;
  close(): Promise<void>;
}

/** The API over the real engine and a database in a temporary directory, with machines that exist in memory only. */
export async function startRealApi(): Promise<RealApi> {
  const directory = await mkdtemp(join(tmpdir(), 'ironbark-api-'));
  const store = await openSqliteStore({ file: join(directory, 'db'), keyFile: join(directory, 'key') });
  const fakeHardware = dirname(fileURLToPath(import.meta.resolve('@ironbark/hardware-fake/package.json')));
  const plugins = await loadPlugins(discoverPlugins(directory, { plugins: [fakeHardware] }), {
    enabled: [
      'hardware:fake-hardware',
      'power:fake',
      'management:fake',
      'boot:fake',
      'deploy:fake',
      ...Object.keys(builtinDrivers),
    ],
    builtin: builtinDrivers,
    defaults: {},
    settings: {},
    log: silentLogger,
    stateDirectory: directory,
    dryRun: false,
  });
  const { registry, hooks } = plugins;
  const engine = createEngine({
    hostname: 'c-1',
    store,
    registry,
    hooks,
    log: silentLogger,
    apiUrl: async () => null,
    lockWaitMs: 100,
  });
  await engine.start();
  const app = createApi({ engine, log: silentLogger, auth: { strategy: 'noauth' }, version: '0' });
  return {
    app,
    engine,
    async close() {
      await app.close();
      await engine.stop(0);
      await plugins.dispose();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}
