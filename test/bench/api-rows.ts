import type { ApiClient } from './api-client.ts';
import { enrollAgentNode, enrollNode } from './fleet.ts';
import { measure } from './load.ts';
import { ironicCpuMs, measureRow, type Row } from './row.ts';

const concurrencies = [1, 8, 32];
const fleet = 10_000;
const page = 1000;

/** Measures the API while its database grows to ten thousand nodes. */
export async function measureApi(pid: number, client: ApiClient): Promise<readonly Row[]> {
  const uuids: string[] = [];
  const rows: Row[] = [];
  const node = (index: number) => uuids[index % uuids.length] ?? '';
  const create = async () => uuids.push(await enrollNode(client));
  const show = (index: number) => client.call('GET', `/v1/nodes/${node(index * 7)}`);
  const patch = (index: number) =>
    client.call('PATCH', `/v1/nodes/${node(index)}`, [{ op: 'add', path: '/extra/seen', value: index }]);
  const list = (limit: number) => () => client.call('GET', `/v1/nodes/detail?limit=${limit}`);
  const addRows = async (
    name: string,
    count: number,
    operation: (index: number) => Promise<unknown>,
    ironic?: number,
  ) => {
    await measure(pid, 8, Math.ceil(count / 2), operation); // lets the compilers do their work first
    for (const concurrency of concurrencies) {
      const figure = ironic === undefined ? {} : { ironic };
      rows.push(await measureRow({ pid, name, concurrency, count, operation, ...figure }));
    }
  };

  await measure(pid, 8, page, create);
  await addRows('show node, of 1,000', 4000, show, ironicCpuMs.show);
  await addRows('list 1,000 nodes in detail', 50, list(page), ironicCpuMs.list);
  rows.push(
    await measureRow({ pid, name: 'list 100 nodes in detail', concurrency: 1, count: 500, operation: list(100) }),
  );
  await addRows('patch node', 600, patch, ironicCpuMs.patch);
  await addRows('create node', Math.floor((fleet - uuids.length) / 3.5), create, ironicCpuMs.create);
  await addRows('show node, of 10,000', 4000, show, ironicCpuMs.show);
  const listAll = () => readPages(client);
  rows.push(
    await measureRow({
      pid,
      name: 'list 10,000 nodes in detail, in pages',
      concurrency: 1,
      count: 5,
      operation: listAll,
    }),
  );

  const beats: (() => Promise<unknown>)[] = [];
  for (let index = 0; index < 32; index += 1) beats.push(await enrollAgentNode(client));
  await addRows('heartbeat', 600, async (index) => beats[index % beats.length]?.(), ironicCpuMs.heartbeat);
  return rows;
}

async function readPages(client: ApiClient): Promise<void> {
  interface Page {
    readonly nodes: readonly { readonly uuid: string }[];
  }
  let marker = '';
  for (;;) {
    const { nodes } = await client.call<Page>('GET', `/v1/nodes/detail?limit=${page}${marker}`);
    const last = nodes.at(-1);
    if (nodes.length < page || last === undefined) return;
    marker = `&marker=${last.uuid}`;
  }
}
