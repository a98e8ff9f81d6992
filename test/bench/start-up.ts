import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConductorProcess, pluginPaths } from '@ironbark/lab/conductor';
import { ApiClient } from './api-client.ts';
import { cpuMs, residentMiB } from './process-usage.ts';

/** How long a conductor has had nothing to do when its memory is looked at. */
const idleAfterMs = 3000;
const starts = 5;

const config = {
  hostname: 'bench',
  log: { level: 'error' },
  api: { port: 0 },
  plugins: pluginPaths('hardware-fake', 'storage-external', 'boot-ipxe'),
  enabled: {
    hardware: ['fake-hardware'],
    power: ['fake'],
    management: ['fake'],
    boot: ['fake', 'ipxe'],
    storage: ['noop', 'external'],
    deploy: ['fake', 'volume'],
  },
  conductor: { grace_seconds: 1 },
  settings: { netboot: { http_url: 'http://192.0.2.1:8080' } },
};

/** Runs work with a conductor that has a site of its own; nothing is left of either. */
export async function withConductor<Result>(
  work: (conductor: ConductorProcess, client: ApiClient) => Promise<Result>,
): Promise<Result> {
  const site = await mkdtemp(join(tmpdir(), 'ironbark-bench-'));
  try {
    const conductor = await ConductorProcess.start({ site, config });
    const client = new ApiClient(conductor.url);
    try {
      return await work(conductor, client);
    } finally {
      client.close();
      await conductor.stop();
    }
  } finally {
    await rm(site, { recursive: true, force: true });
  }
}

interface StartUp {
  /** From the start of the process, with an empty database, to the first answer of the API. */
  readonly answerMs: number;
  readonly answerCpuMs: number;
  readonly idleMiB: number;
}

/** @returns the median of several starts, by each figure. */
export async function measureStartUp(): Promise<StartUp> {
  const measured: StartUp[] = [];
  for (let run = 0; run < starts; run += 1) {
    const begun = performance.now();
    await withConductor(async ({ pid }, client) => {
      await client.call('GET', '/v1');
      const answerMs = performance.now() - begun;
      const answerCpuMs = cpuMs(pid);
      await sleep(idleAfterMs);
      measured.push({ answerMs, answerCpuMs, idleMiB: residentMiB(pid) });
    });
  }
  const median = (figure: keyof StartUp) =>
    measured.map((each) => each[figure]).sort((left, right) => left - right)[Math.floor(starts / 2)] ?? 0;
  return { answerMs: median('answerMs'), answerCpuMs: median('answerCpuMs'), idleMiB: median('idleMiB') };
}
