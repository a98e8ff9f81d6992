import { randomUUID } from 'node:crypto';
import { OpenStackSession, startOpenStack, type OpenStack } from '@ironbark/lab/openstack';
import { CinderSite } from '../live/cinder-site.ts';
import { startBareCinderClient } from './bare-cinder-client.ts';
import { ProvisionStates } from './event-stream.ts';
import { cpuMs } from './process-usage.ts';
import { formatTable } from './table.ts';

const header = [
  'volumes',
  'cycles',
  'calls',
  'bare calls',
  'wall ms',
  'bare wall ms',
  'CPU ms',
  'without volumes',
  'bare CPU ms',
  'overhead per volume, CPU ms',
];

/** Volumes of a node, and how often they are attached and released. */
const loads = [
  [1, 30],
  [4, 12],
  [16, 5],
] as const;
const warmUps = 30;

interface Measurement {
  /** To Cinder, in one cycle. */
  readonly calls: number;
  /** Of one cycle. */
  readonly wallMs: number;
  readonly cpuMs: number;
}

type Cycle = (volumes: number) => Promise<void>;

/**
 * Attaches and releases volumes of a real Cinder: by deployments and undeployments of a conductor, and by the same calls from a bare loop
 * of requests. What the conductor needs beyond that, and beyond a deployment without volumes, is the overhead of its volumes.
 */
export async function cinderTable(): Promise<string> {
  await using openstack = await startOpenStack();
  const most = Math.max(...loads.map(([volumes]) => volumes));
  const site = await CinderSite.start(openstack, most, {});
  try {
    const states = await ProvisionStates.follow(site.url);
    const deployments = await measureAll(site, site.pid, (volumes) => deployOnce(site, states, volumes));
    const bare = await measureBare(site, openstack);
    const without = await measureAll(site, site.pid, async (volumes) => {
      await site.createTargets(volumes);
      await site.deleteTargets();
      await deployOnce(site, states, 0);
    });
    states.close();
    return formatTable(
      header,
      loads.map(([volumes, cycles], index) => {
        const [ours, loop, base] = [deployments[index], bare[index], without[index]];
        if (ours === undefined || loop === undefined || base === undefined)
          throw new TypeError('A load has no figures.');
        const overhead = (ours.cpuMs - base.cpuMs - loop.cpuMs) / volumes;
        const figures = [ours.wallMs, loop.wallMs, ours.cpuMs, base.cpuMs, loop.cpuMs, overhead];
        return [volumes, cycles, ours.calls, loop.calls, ...figures.map((figure) => figure.toFixed(1))];
      }),
    );
  } finally {
    await site.stop();
  }
}

async function measureBare(site: CinderSite, { authUrl, users }: OpenStack): Promise<readonly Measurement[]> {
  const { token, projectId } = await new OpenStackSession(authUrl, users.conductor).login();
  const { volumeIds, proxy } = site;
  const url = `${proxy.url}/${projectId}`;
  const client = await startBareCinderClient({ url, token, nodeUuid: randomUUID(), volumeIds });
  try {
    return await measureAll(site, client.pid, (volumes) => client.cycle(volumes));
  } finally {
    await client.stop();
  }
}

async function measureAll({ proxy }: CinderSite, pid: number, cycle: Cycle): Promise<readonly Measurement[]> {
  for (let run = 0; run < warmUps; run += 1) await cycle(1);
  const measurements: Measurement[] = [];
  for (const [volumes, cycles] of loads) {
    proxy.reset();
    await cycle(volumes);
    const calls = proxy.calls.length;
    const [cpuBefore, begun] = [cpuMs(pid), performance.now()];
    for (let run = 0; run < cycles; run += 1) await cycle(volumes);
    const [cpu, wall] = [cpuMs(pid) - cpuBefore, performance.now() - begun];
    measurements.push({ calls, wallMs: wall / cycles, cpuMs: cpu / cycles });
  }
  return measurements;
}

/** A deployment and an undeployment; the client waits on the event stream. */
async function deployOnce(site: CinderSite, states: ProvisionStates, volumes: number): Promise<void> {
  await site.createTargets(volumes);
  for (const [target, state] of [
    ['active', 'active'],
    ['deleted', 'available'],
  ] as const) {
    const reached = states.reached(site.nodeUuid, state);
    const refusal = await site.request(target);
    if (refusal !== undefined) throw new Error(refusal);
    await reached;
  }
}
