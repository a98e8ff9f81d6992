import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret, silentLogger, type ImageReference, type Node } from '@ironbark/core';
import { createNode, createTask } from '@ironbark/driver-testkit/fakes';
import {
  FaultProxy,
  OpenStackAccess,
  startOpenStack,
  type GlanceImage,
  type OpenStackUser,
} from '@ironbark/lab/openstack';
import { describeInstanceImage, imagesConfig, openImages, type Images } from '@ironbark/media';
import {
  createImageCatalogue,
  defaultPatience,
  Session,
  type EndpointOptions,
  type ImageCatalogue,
} from '@ironbark/openstack';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { IdentityClient } from './identity-client.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const { conductor, demo } = openstack.users;
const endpoint: EndpointOptions = { region: openstack.region, interfaces: ['internal', 'public'], override: null };
const unknownId = '00000000-0000-4000-8000-000000000000';
const kernel = Buffer.from('the kernel of the image');
const cleanUps: (() => Promise<unknown>)[] = [];

const soon = () => AbortSignal.timeout(120_000);

afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function sessionOf({ username, password, project }: OpenStackUser, authUrl = openstack.authUrl): Session {
  const domain = { name: 'Default' };
  const credentials = { method: 'password', user: { name: username, domain }, password: Secret.of(password) } as const;
  const auth = { kind: 'keystone', url: authUrl, credentials, scope: { project: { name: project, domain } } } as const;
  const options = { auth, verifyCa: true, patience: { ...defaultPatience, retryIntervalMs: 10 } };
  const session = new Session(options, { log: silentLogger, settings: 'settings.images.glance' });
  cleanUps.push(() => session.close());
  return session;
}

async function createImage(...args: Parameters<typeof openstack.images.create>): Promise<GlanceImage> {
  const image = await openstack.images.create(...args);
  cleanUps.push(() => openstack.images.delete(image.id));
  return image;
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const glance = (id: string): ImageReference => ({ kind: 'glance', id });
const taskOf = (node: Partial<Node> = {}) => createTask({ node: createNode(node), signal: soon() });

/** An image service with a cache of its own. @param url of Glance; default: the catalogue's. */
async function openService(url?: string, details = openstack.details) {
  const directory = await mkdtemp(join(tmpdir(), 'ironbark-images-'));
  const { username, password, project } = details.users.conductor;
  const config = imagesConfig.parse({
    cache_directory: directory,
    glance: {
      auth_url: details.authUrl,
      username,
      password,
      project_name: project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
      ...(url === undefined ? {} : { endpoint_override: url }),
    },
  });
  const images = await openImages({ config, log: silentLogger, stateDirectory: directory }, 10);
  cleanUps.push(async () => {
    await images.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { images, directory };
}

const read = (images: Images, id: string, node: Partial<Node> = {}) =>
  images.withFile(glance(id), taskOf(node), (path) => readFile(path, 'utf8'));

let image: GlanceImage;
let catalogue: ImageCatalogue;
let demoProject: string;
let conductorProject: string;

beforeAll(async () => {
  const identity = new IdentityClient(openstack.authUrl);
  [demoProject, conductorProject] = await Promise.all([
    identity.logIn(demo).then(({ projectId }) => projectId),
    identity.logIn(conductor).then(({ projectId }) => projectId),
  ]);
  const properties = { kernel_id: unknownId, ramdisk_id: unknownId, rootfs_label: 'cloudimg-rootfs' };
  image = await createImage({ name: 'kernel', content: kernel, visibility: 'private', diskFormat: 'aki', properties });
  catalogue = createImageCatalogue(sessionOf(conductor), { endpoint });
});

describe('the catalogue of images', () => {
  it('has an image of any project', async () => {
    expect(await catalogue.findImage(image.id, soon())).toEqual({
      id: image.id,
      name: 'kernel',
      status: 'active',
      visibility: 'private',
      owner: demoProject,
      sizeBytes: kernel.length,
      checksum: { algorithm: 'sha512', value: createHash('sha512').update(kernel).digest('hex') },
      diskFormat: 'aki',
      containerFormat: 'bare',
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      properties: { kernel_id: unknownId, ramdisk_id: unknownId, rootfs_label: 'cloudimg-rootfs' },
    });
  });

  it('does not have an image that does not exist', async () => {
    expect(await catalogue.findImage(unknownId, soon())).toBeUndefined();
    await expect(catalogue.content(unknownId, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_NOT_FOUND',
      message: expect.stringMatching(new RegExp(`HTTP 404: No image found with ID ${unknownId}$`)),
    });
  });

  it('does not show a user the private image of another project', async () => {
    const own = await createImage({ name: 'own', content: kernel, visibility: 'private', owner: 'conductor' });
    const theirs = createImageCatalogue(sessionOf(demo), { endpoint });
    expect(await theirs.findImage(own.id, soon())).toBeUndefined();
    expect(await theirs.findImage(image.id, soon())).toMatchObject({ id: image.id });
  });

  it('has images without content', async () => {
    const { id } = await createImage({ name: 'empty' });
    expect(await catalogue.findImage(id, soon())).toMatchObject({ status: 'queued', sizeBytes: null, checksum: null });
    await expect(catalogue.content(id, soon())).rejects.toThrow('gave no content (HTTP 204)');
  });

  it('tells with whom an image is shared', async () => {
    const { id } = await createImage({ name: 'shared', content: kernel, visibility: 'shared' });
    await openstack.images.share(id, conductor, 'pending');
    expect(await catalogue.listMembers(id, soon())).toEqual([{ projectId: conductorProject, status: 'pending' }]);
  });

  it.each(['', '/', '/v2'])('is found at an address that ends in %j', async (end) => {
    const override = `${openstack.imageUrl}${end}`;
    const other = createImageCatalogue(sessionOf(conductor), { endpoint: { ...endpoint, override } });
    expect(await other.findImage(image.id, soon())).toMatchObject({ id: image.id });
  });
});

describe('the content of an image', () => {
  it('is streamed from any place on', async () => {
    const whole = await catalogue.content(image.id, soon());
    expect([whole.lengthBytes, await textOf(whole)]).toEqual([kernel.length, kernel.toString()]);
    const rest = await catalogue.content(image.id, soon(), 4);
    expect([rest.lengthBytes, await textOf(rest)]).toEqual([kernel.length - 4, kernel.toString().slice(4)]);
  });

  it('needs a new token when the old one has expired', async () => {
    const tokenSeconds = 4;
    await using short = await startOpenStack({ image: true, tokenExpirationSeconds: tokenSeconds });
    const { id } = await short.images.create({ name: 'kernel', content: kernel });
    const session = sessionOf(short.users.conductor, short.authUrl);
    const own = createImageCatalogue(session, { endpoint });
    // To the session no time passes, so that it does not renew its token by itself.
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const token = await session.token(soon());
    const statusWithToken = async () => {
      const headers = { 'x-auth-token': token.value.reveal() };
      return (await fetch(`${short.imageUrl}/v2/images/${id}`, { headers })).status;
    };
    expect(await statusWithToken()).toBe(200);
    await expect.poll(statusWithToken, { timeout: 60_000, interval: 500 }).toBe(401);
    expect(await textOf(await own.content(id, soon()))).toBe(kernel.toString());
    expect(await session.token(soon())).not.toBe(token);
  });
});

describe('the cache of images', () => {
  let proxy: FaultProxy;
  const files = () => proxy.calls.filter(({ name }) => name === 'GET images/{id}/file').length;

  beforeAll(async () => {
    proxy = await FaultProxy.start(openstack.imageUrl);
    cleanUps.push(() => proxy.stop());
  });

  beforeEach(() => proxy.reset());

  it('fetches an image once', async () => {
    const { images, directory } = await openService(proxy.url);
    expect(await Promise.all([1, 2, 3].map(() => read(images, image.id)))).toEqual(Array(3).fill(kernel.toString()));
    expect(await read(images, image.id)).toBe(kernel.toString());
    expect([files(), (await readdir(directory)).length]).toEqual([1, 1]);
  });

  it.each([
    ['a connection is dropped', 'GET images/{id}', { kind: 'drop', moment: 'after' }],
    ['Glance is not there', 'GET images/{id}', { kind: 'status', status: 503, moment: 'before' }],
    ['an answer is garbled', 'GET images/{id}', { kind: 'garble' }],
    ['an answer is cut off', 'GET images/{id}', { kind: 'truncate' }],
    ['our token is refused', 'GET images/{id}', { kind: 'status', status: 401, moment: 'before' }],
    ['the connection of the content is dropped', 'GET images/{id}/file', { kind: 'drop', moment: 'before' }],
    ['Glance is not there for the content', 'GET images/{id}/file', { kind: 'status', status: 503, moment: 'before' }],
    ['our token is refused for the content', 'GET images/{id}/file', { kind: 'status', status: 401, moment: 'before' }],
    ['the content is cut off', 'GET images/{id}/file', { kind: 'truncate' }],
  ] as const)('gets over it when %s', async (_title, call, fault) => {
    const { images } = await openService(proxy.url);
    proxy.inject({ call, fault });
    expect(await read(images, image.id)).toBe(kernel.toString());
    expect(proxy.pendingRules).toEqual([]);
  });

  it('does not take what is not the image, and leaves nothing of it', async () => {
    const { images, directory } = await openService(proxy.url);
    proxy.inject({ call: 'GET images/{id}/file', fault: { kind: 'garble' } });
    await expect(read(images, image.id)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
    expect(await readdir(directory)).toEqual([]);
    expect(await read(images, image.id)).toBe(kernel.toString());
  });

  it('streams a large image through little memory', async () => {
    const bytes = 256 * 2 ** 20;
    const directory = await mkdtemp(join(tmpdir(), 'ironbark-large-'));
    cleanUps.push(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'large');
    {
      await using file = await open(path, 'w');
      await file.write(randomBytes(2 ** 20), 0, 2 ** 20, bytes - 2 ** 20);
    }
    const { id } = await createImage({ name: 'large', content: path });
    const { images } = await openService();
    const memory = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    const before = memory();
    const samples: number[] = [];
    const sampling = setInterval(() => samples.push(memory() - before), 20);
    const digest = await images.withFile(glance(id), taskOf(), async (copy) => {
      clearInterval(sampling);
      const hash = createHash('sha512');
      for await (const chunk of createReadStream(copy)) hash.update(chunk as Buffer);
      return hash.digest('hex');
    });
    expect(digest).toBe((await openstack.images.get(id)).os_hash_value);
    expect(samples.length).toBeGreaterThan(0);
    expect(Math.max(...samples)).toBeLessThan(64 * 2 ** 20);
  });

  it('needs Glance to know whether an image may still be used', async () => {
    await using other = await startOpenStack({ image: true });
    const { id } = await other.images.create({ name: 'kernel', content: kernel });
    const { images } = await openService(undefined, other.details);
    expect(await read(images, id)).toBe(kernel.toString());
    await other.glance?.stop();
    await expect(read(images, id)).rejects.toMatchObject({ code: 'OPENSTACK_UNREACHABLE', retryable: true });
    await other.glance?.start();
    expect(await read(images, id)).toBe(kernel.toString());
  });
});

describe('an image of a project', () => {
  let images: Images;

  beforeAll(async () => {
    ({ images } = await openService());
  });

  it('is given to nodes of that project and to those of the operator', async () => {
    expect(await read(images, image.id)).toBe(kernel.toString());
    expect(await read(images, image.id, { owner: demoProject })).toBe(kernel.toString());
    expect(await read(images, image.id, { owner: conductorProject, lessee: demoProject })).toBe(kernel.toString());
  });

  it('is not given to nodes of another, as if it did not exist', async () => {
    const refusalOf = async (id: string) => {
      const error: unknown = await read(images, id, { owner: conductorProject }).catch((reason: unknown) => reason);
      return String(error).replace(id, '<id>');
    };
    expect(await refusalOf(image.id)).toContain('There is no image <id> in Glance that the owner of node');
    expect(await refusalOf(image.id)).toBe(await refusalOf(unknownId));
  });

  it('is given to nodes of a project that has accepted it', async () => {
    const { id } = await createImage({ name: 'shared', content: kernel, visibility: 'shared' });
    const node = { lessee: conductorProject };
    await openstack.images.share(id, conductor, 'pending');
    await expect(read(images, id, node)).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    const other = await createImage({ name: 'accepted', content: kernel, visibility: 'shared' });
    await openstack.images.share(other.id, conductor, 'accepted');
    expect(await read(images, other.id, node)).toBe(kernel.toString());
  });

  it('is given to everybody when it is public or a community image', async () => {
    for (const visibility of ['public', 'community'] as const) {
      const { id } = await createImage({ name: visibility, content: kernel, visibility });
      expect(await read(images, id, { owner: conductorProject })).toBe(kernel.toString());
    }
  });

  it('says what an instance boots', async () => {
    const properties = { kernel_id: image.id, ramdisk_id: image.id, rootfs_label: 'cloudimg-rootfs' };
    const { id } = await createImage({ name: 'system', content: kernel, properties });
    const task = taskOf({ instanceInfo: { image_source: id }, owner: demoProject });
    expect(await describeInstanceImage(images, task)).toEqual({
      kernel: glance(image.id),
      ramdisk: glance(image.id),
      bootIso: null,
      root: 'LABEL=cloudimg-rootfs',
      initramfsType: null,
    });
  });

  it('is refused when its kernel is not there, naming the property', async () => {
    const task = taskOf({ instanceInfo: { image_source: image.id }, owner: demoProject });
    await expect(describeInstanceImage(images, task)).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining(
        `property kernel_id of image ${image.id} cannot be used. There is no image ${unknownId}`,
      ),
    });
  });
});
