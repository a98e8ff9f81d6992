import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { OpenStackSession, startOpenStack, type OpenStack } from '../src/openstack/index.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let openstack: OpenStack;

beforeAll(async () => {
  openstack = await startOpenStack({ image: true });
});

afterAll(async () => openstack?.stop());

async function contentOf(id: string): Promise<string> {
  const { token } = await new OpenStackSession(openstack.authUrl, openstack.users.demo).login();
  const response = await fetch(`${openstack.imageUrl}/v2/images/${id}/file`, { headers: { 'X-Auth-Token': token } });
  return `${response.status} ${await response.text()}`;
}

test('an image has properties and content, from memory or from a file', async () => {
  const path = join(openstack.directory, 'content');
  await writeFile(path, 'from a file');
  const properties = { kernel_id: 'k', rootfs_uuid: 'ABCD-1234' };
  const image = await openstack.images.create({ name: 'system', content: path, properties });
  const other = await openstack.images.create({
    name: 'kernel',
    content: Buffer.from('from memory'),
    diskFormat: 'aki',
  });

  expect(image).toMatchObject({
    status: 'active',
    visibility: 'public',
    size: 11,
    os_hash_algo: 'sha512',
    ...properties,
  });
  expect([await contentOf(image.id), await contentOf(other.id)]).toEqual(['200 from a file', '200 from memory']);
  for (const { id } of [image, other]) await openstack.images.delete(id);
});

test('an image without content is queued', async () => {
  const { id, status } = await openstack.images.create({ name: 'empty' });
  expect(status).toBe('queued');
  await openstack.images.delete(id);
});

test('the private image of another project is seen by nobody there', async () => {
  const { id } = await openstack.images.create({
    name: 'private',
    content: Buffer.from('x'),
    visibility: 'private',
    owner: 'conductor',
  });
  expect(await contentOf(id)).toMatch(/^404 /);
  await openstack.images.delete(id);
});

test('the catalogue has Glance', async () => {
  const session = new OpenStackSession(openstack.authUrl, openstack.users.demo);
  const { catalog } = await session.call<{ catalog: { type: string; endpoints: { url: string }[] }[] }>(
    'GET',
    `${openstack.authUrl}/auth/catalog`,
  );
  const urls = catalog.find(({ type }) => type === 'image')?.endpoints.map(({ url }) => url);
  expect(new Set(urls)).toEqual(new Set([openstack.imageUrl]));
});

test('Glance keeps its images over a restart', async () => {
  const { id } = await openstack.images.create({ name: 'stays', content: Buffer.from('x') });
  await openstack.glance?.restart();
  expect(await openstack.images.get(id)).toMatchObject({ status: 'active' });
  await openstack.images.delete(id);
});
