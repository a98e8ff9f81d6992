import { ApiClient } from './api-client.ts';
import { measure } from './load.ts';
import { startReferenceServer } from './reference-server.ts';
import { measureRow, type Row } from './row.ts';

/** The least that any server in this language could do: a bare HTTP server that sends an answer of the conductor's from memory. */
export async function measureReference(client: ApiClient): Promise<readonly Row[]> {
  const show = await client.call<{ nodes: readonly unknown[] }>('GET', '/v1/nodes/detail?limit=1');
  const list = await client.call('GET', '/v1/nodes/detail?limit=1000');
  const rows: Row[] = [];
  for (const [name, body, count] of [
    ['reference: a stored node from node:http', show.nodes[0], 4000],
    ['reference: a stored list of 1,000 from node:http', list, 100],
  ] as const) {
    const server = await startReferenceServer(JSON.stringify(body));
    const reference = new ApiClient(server.url);
    const operation = () => reference.call('GET', '/');
    await measure(server.pid, 8, count, operation);
    rows.push(await measureRow({ pid: server.pid, name, concurrency: 8, count, operation }));
    reference.close();
    await server.stop();
  }
  return rows;
}
