// Measures a real conductor process: start-up, the API, and deployments on fake hardware. Prints Markdown tables.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConductorProcess, pluginPaths } from '@ironbark/lab/conductor';
import { ApiClient } from './api-client.ts';
import { ProvisionStates } from './event-stream.ts';
import { createTarget, enrollNode, enrollVolumeNode } from './fleet.ts';
import { measure, type Measurement } from './load.ts';
import { cpuMs, residentMiB } from './process-usage.ts';
import { startReferenceServer } from './reference-server.ts';
import { formatTable } from './table.ts';

const concurrencies = [1, 8, 32];
const idleAfterMs = 3000;

type Row = readonly (string | number)[];

function row(
  name: string,
  concurrency: number,
  { perSecond, p50Ms, p95Ms, cpuMsPerOperation, residentMiB: memory }: Measurement,
): Row {
  return [
    name,
    concurrency,
    perSecond.toFixed(0),
    p50Ms.toFixed(2),
    p95Ms.toFixed(2),
    cpuMsPerOperation.toFixed(3),
    memory.toFixed(0),
  ];
}

const header = ['operation', 'clients', 'per second', 'p50 ms', 'p95 ms', 'CPU ms', 'RSS MiB'];

async function benchApi(conductor: ConductorProcess, client: ApiClient): Promise<readonly Row[]> {
  const { pid } = conductor;
  const uuids: string[] = [];
  const rows: Row[] = [];
  const run = async (
    name: string,
    concurrency: number,
    count: number,
    operation: (index: number) => Promise<unknown>,
  ) => {
    rows.push(row(name, concurrency, await measure(pid, concurrency, count, operation)));
  };
  const node = (index: number) => uuids[index % uuids.length] ?? '';
  for (let index = 0; index < 100; index += 1) uuids.push(await enrollNode(client)); // compiles the hot paths
  await measure(pid, 8, 500, (index) => client.call('GET', `/v1/nodes/${node(index)}`));
  for (const concurrency of concurrencies)
    await run('create node', concurrency, 300, async () => uuids.push(await enrollNode(client)));
  for (const concurrency of concurrencies)
    await run('show node (1,000 nodes)', concurrency, 3000, (index) => client.call('GET', `/v1/nodes/${node(index)}`));
  for (const concurrency of concurrencies) {
    await run('patch node', concurrency, 300, (index) =>
      client.call('PATCH', `/v1/nodes/${node(index)}`, [{ op: 'add', path: '/extra/seen', value: index }]),
    );
  }
  for (const concurrency of concurrencies)
    await run('list 1,000 nodes in detail', concurrency, 40, () => client.call('GET', '/v1/nodes/detail?limit=1000'));
  await measure(pid, 32, 9000, async () => uuids.push(await enrollNode(client)));
  for (const concurrency of concurrencies)
    await run('show node (10,000 nodes)', concurrency, 3000, (index) =>
      client.call('GET', `/v1/nodes/${node(index * 3)}`),
    );
  await run('list 10,000 nodes in detail, in pages', 1, 3, () => listAll(client));
  return rows;
}

async function listAll(client: ApiClient): Promise<void> {
  interface Page {
    readonly nodes: readonly { readonly uuid: string }[];
  }
  let marker = '';
  for (;;) {
    const { nodes } = await client.call<Page>('GET', `/v1/nodes/detail?limit=1000${marker}`);
    const last = nodes.at(-1);
    if (nodes.length < 1000 || last === undefined) return;
    marker = `&marker=${last.uuid}`;
  }
}

async function benchDeployments(conductor: ConductorProcess, client: ApiClient): Promise<readonly Row[]> {
  const states = await ProvisionStates.follow(conductor.url);
  const change = async (uuid: string, target: string, wanted: string) => {
    const reached = states.reached(uuid, wanted);
    await client.call('PUT', `/v1/nodes/${uuid}/states/provision`, { target });
    await reached;
  };
  const idle: string[] = [];
  for (let index = 0; index < 64; index += 1) {
    const uuid = await enrollVolumeNode(client, index);
    await change(uuid, 'manage', 'manageable');
    await change(uuid, 'provide', 'available');
    idle.push(uuid);
  }
  const cycle = async () => {
    const uuid = idle.shift() ?? '';
    await createTarget(client, uuid);
    await change(uuid, 'active', 'active');
    await change(uuid, 'deleted', 'available');
    idle.push(uuid);
  };
  await measure(conductor.pid, 8, 50, cycle);
  const rows: Row[] = [];
  for (const concurrency of concurrencies)
    rows.push(
      row('create target, deploy, undeploy', concurrency, await measure(conductor.pid, concurrency, 200, cycle)),
    );
  states.close();
  return rows;
}

/** The least that any server in this language could do: a bare HTTP server that sends a stored answer. */
async function benchReference(conductor: ConductorProcess, client: ApiClient): Promise<readonly Row[]> {
  const show = await client.call<{ nodes: readonly unknown[] }>('GET', '/v1/nodes/detail?limit=1');
  const list = await client.call('GET', '/v1/nodes/detail?limit=1000');
  const rows: Row[] = [];
  for (const [name, body, count] of [
    ['reference: stored node from node:http', show.nodes[0], 3000],
    ['reference: stored list of 1,000 from node:http', list, 40],
  ] as const) {
    const server = await startReferenceServer(JSON.stringify(body));
    const reference = new ApiClient(server.url);
    await measure(server.pid, 8, count, () => reference.call('GET', '/'));
    rows.push(row(name, 8, await measure(server.pid, 8, count, () => reference.call('GET', '/'))));
    reference.close();
    await server.stop();
  }
  return rows;
}

async function main(): Promise<void> {
  const site = await mkdtemp(join(tmpdir(), 'ironbark-bench-'));
  const begun = performance.now();
  const conductor = await ConductorProcess.start({
    site,
    config: {
      hostname: 'bench',
      log: { level: 'warn' },
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
      settings: { netboot: { http_url: 'http://192.0.2.1:8080' } },
    },
  });
  const client = new ApiClient(conductor.url);
  try {
    await client.call('GET', '/v1');
    const startMs = performance.now() - begun;
    const startCpu = cpuMs(conductor.pid);
    await sleep(idleAfterMs);
    const idleMiB = residentMiB(conductor.pid);
    console.log(
      `Start to first answer: ${startMs.toFixed(0)} ms (${startCpu} ms CPU). Idle: ${idleMiB.toFixed(0)} MiB resident.\n`,
    );
    const rows = [
      ...(await benchDeployments(conductor, client)),
      ...(await benchApi(conductor, client)),
      ...(await benchReference(conductor, client)),
    ];
    console.log(formatTable(header, rows));
  } finally {
    client.close();
    await conductor.stop();
    await rm(site, { recursive: true, force: true });
  }
}

await main();
