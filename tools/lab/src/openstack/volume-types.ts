import { poll } from '../wait.ts';
import type { OpenStackDetails } from './details.ts';
import { OpenStackSession } from './session.ts';

const startTimeoutMs = 60_000;

/** Waits until the scheduler knows the backends, and creates a volume type for each of them, with and without multiattach. */
export async function createVolumeTypes(
  { authUrl, blockStorageUrl, users }: OpenStackDetails,
  backends: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const admin = new OpenStackSession(authUrl, users.admin);
  const url = `${blockStorageUrl}/${await admin.projectId()}`;
  const areKnown = async (): Promise<true | undefined> => {
    const { pools } = await admin.call<{ pools: { name: string }[] }>('GET', `${url}/scheduler-stats/get_pools`);
    return pools.length === backends.length ? true : undefined;
  };
  await poll(areKnown, { what: "Cinder's scheduler to know its backends", timeoutMs: startTimeoutMs, signal });
  for (const backend of backends) {
    const extra_specs = { volume_backend_name: backend };
    await admin.call('POST', `${url}/types`, { volume_type: { name: backend, extra_specs } });
    const multiattach = { ...extra_specs, multiattach: '<is> True' };
    await admin.call('POST', `${url}/types`, {
      volume_type: { name: `${backend}_multiattach`, extra_specs: multiattach },
    });
  }
}
