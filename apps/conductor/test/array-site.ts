import { expect, vi } from 'vitest';
import { arrayPlugin, call } from './ironbark.ts';
import { createSite } from './site.ts';

export const waiting = { timeout: 20_000, interval: 20 };

/** A site with a disk array in the directory `array`. */
export function arraySite(config: object = {}): string {
  const drivers = ['array'];
  const content = {
    hostname: 'c-1',
    api: { port: 0 },
    plugins: [arrayPlugin],
    enabled: { hardware: drivers, power: drivers, management: drivers, boot: drivers, storage: ['array', 'noop'] },
    settings: { array: { directory: './array' } },
    ...config,
  };
  return createSite({ 'array/.keep': '', 'ironbark.yaml': JSON.stringify(content) });
}

/** A node that is deployed from one volume. */
export async function deployedNode(url: string, name: string): Promise<string> {
  const { body } = await call(url, 'POST', '/v1/nodes', {
    driver: 'array',
    name,
    properties: { capabilities: 'iscsi_boot:True' },
  });
  const uuid = String(body['uuid']);
  await call(url, 'POST', '/v1/volume/connectors', {
    node_uuid: uuid,
    type: 'iqn',
    connector_id: `iqn.2026-01.org.example:${name}`,
  });
  await call(url, 'POST', '/v1/volume/targets', {
    node_uuid: uuid,
    volume_type: 'iscsi',
    boot_index: 0,
    volume_id: `boot-of-${name}`,
  });
  for (const [target, state] of [
    ['manage', 'manageable'],
    ['provide', 'available'],
    ['active', 'active'],
  ]) {
    expect((await call(url, 'PUT', `/v1/nodes/${uuid}/states/provision`, { target })).status).toBe(202);
    await vi.waitFor(async () => expect((await nodeOf(url, uuid))['provision_state']).toBe(state), waiting);
  }
  await untilFree(url, uuid);
  return uuid;
}

export async function nodeOf(url: string, uuid: string): Promise<Record<string, unknown>> {
  return (await call(url, 'GET', `/v1/nodes/${uuid}`)).body;
}

async function untilFree(url: string, uuid: string): Promise<void> {
  await vi.waitFor(async () => expect((await nodeOf(url, uuid))['reservation']).toBeNull(), waiting);
}
