import type { ApiClient } from './api-client.ts';
import { ProvisionStates } from './event-stream.ts';
import { createTarget, enrollVolumeNode } from './fleet.ts';
import { measure } from './load.ts';
import { ironicCpuMs, measureRow, type Row } from './row.ts';

const nodes = 64;

/** Measures deployments from a volume and undeployments; the client waits on the event stream, which the conductor pays for too. */
export async function measureDeployments(pid: number, url: string, client: ApiClient): Promise<readonly Row[]> {
  const states = await ProvisionStates.follow(url);
  const change = async (uuid: string, target: string, wanted: string) => {
    const reached = states.reached(uuid, wanted);
    await client.call('PUT', `/v1/nodes/${uuid}/states/provision`, { target });
    await reached;
  };
  const idle: string[] = [];
  for (let index = 0; index < nodes; index += 1) {
    const uuid = await enrollVolumeNode(client, index);
    await change(uuid, 'manage', 'manageable');
    await change(uuid, 'provide', 'available');
    idle.push(uuid);
  }
  const operation = async () => {
    const uuid = idle.shift() ?? '';
    await createTarget(client, uuid);
    await change(uuid, 'active', 'active');
    await change(uuid, 'deleted', 'available');
    idle.push(uuid);
  };
  await measure(pid, 8, 400, operation); // lets the compilers do their work first
  const rows: Row[] = [];
  for (const concurrency of [1, 8, 32]) {
    const name = 'create target, deploy, undeploy';
    rows.push(await measureRow({ pid, name, concurrency, count: 400, operation, ironic: ironicCpuMs.cycle }));
  }
  states.close();
  return rows;
}
