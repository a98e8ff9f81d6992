import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { silentLogger, type ImageReference } from '@ironbark/core';
import { HttpClient, StreamedContent } from '@ironbark/http';
import type { Image, ImageCatalogue, ImageMember } from '@ironbark/openstack';
import { describe, expect, it } from 'vitest';
import { ImageCache } from '../src/cache/image-cache.ts';
import { imageError } from '../src/image-error.ts';
import { ImageLibrary } from '../src/image-library.ts';
import { urlVoice } from '../src/origin/url-voice.ts';
import { namesIn, read, taskOf, type Bench } from './support/library.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const id = '6d1c4f0e-3cf8-4b0f-9a41-0a6c2ad0a8c1';
const reference: ImageReference = { kind: 'glance', id };

const hashOf = (algorithm: 'sha512' | 'sha256' | 'md5', content: string) => ({
  algorithm,
  value: createHash(algorithm).update(content).digest('hex'),
});

function imageOf(content: string, overrides: Partial<Image> = {}): Image {
  return {
    id,
    name: 'kernel',
    status: 'active',
    visibility: 'public',
    owner: 'p1',
    sizeBytes: content.length,
    checksum: hashOf('sha512', content),
    diskFormat: 'aki',
    containerFormat: 'aki',
    updatedAt: '2026-01-01T00:00:00Z',
    properties: { kernel_id: 'k' },
    ...overrides,
  };
}

/** A catalogue with one image, whose content breaks off where the test says so. */
class OneImage implements ImageCatalogue {
  image: Image | undefined;
  bytes = '';
  members: readonly ImageMember[] = [];
  /** How many bytes the next answers give; then they are complete. */
  readonly breaks: number[] = [];
  readonly offsets: number[] = [];

  constructor(content: string, overrides: Partial<Image> = {}) {
    this.bytes = content;
    this.image = imageOf(content, overrides);
  }

  async findImage(): Promise<Image | undefined> {
    return this.image;
  }

  async listMembers(): Promise<readonly ImageMember[]> {
    return this.members;
  }

  async content(_id: string, _signal: AbortSignal, offset = 0): Promise<StreamedContent> {
    this.offsets.push(offset);
    const rest = this.bytes.slice(offset);
    const given = this.breaks.shift();
    const pieces = async function* () {
      yield Buffer.from(rest.slice(0, given));
      if (given !== undefined) throw new Error('broken');
    };
    const broken = () => imageError('IMAGE_UNAVAILABLE', 'The connection broke.', { retryable: true });
    return new StreamedContent(Readable.from(pieces()), rest.length, broken);
  }
}

async function openWith(catalogue: ImageCatalogue | undefined): Promise<Bench> {
  const cacheDirectory = await temporaryDirectory();
  const cache = await ImageCache.open({ directory: cacheDirectory, sizeBytes: 2 ** 20, log: silentLogger });
  const http = new HttpClient({
    patience: { connectTimeoutMs: 1, requestTimeoutMs: 1, attempts: 1, retryIntervalMs: 1 },
    verifyCa: true,
    maxConnections: 1,
    idleConnectionMs: 1,
    maxReplyBytes: 1,
    voice: urlVoice(silentLogger),
  });
  const close = () => http.close();
  const images = new ImageLibrary({ cache, catalogue, http, fileDirectories: [], log: silentLogger, close });
  return { images, cacheDirectory, warnings: [] };
}

describe('an image of Glance', () => {
  it('is described by its size and properties', async () => {
    const { images } = await openWith(new OneImage('kernel'));
    expect(await images.describe(reference, taskOf())).toEqual({ sizeBytes: 6, properties: { kernel_id: 'k' } });
  });

  it.each(['sha512', 'sha256', 'md5'] as const)('is checked by its %s', async (algorithm) => {
    const good = new OneImage('kernel', { checksum: hashOf(algorithm, 'kernel') });
    expect(await read(await openWith(good), reference)).toBe('kernel');
    const bad = await openWith(new OneImage('kernel', { checksum: hashOf(algorithm, 'another') }));
    await expect(read(bad, reference)).rejects.toMatchObject({
      code: 'IMAGE_CORRUPT',
      message: expect.stringContaining(`has the ${algorithm} ${hashOf(algorithm, 'another').value}`),
    });
    expect(await namesIn(bad)).toEqual([]);
  });

  it('is checked by its size', async () => {
    const bench = await openWith(new OneImage('kernel', { sizeBytes: 7, checksum: null }));
    await expect(read(bench, reference)).rejects.toMatchObject({
      code: 'IMAGE_CORRUPT',
      message: expect.stringContaining('has 7 bytes, but 6 arrived'),
    });
    expect(await namesIn(bench)).toEqual([]);
  });

  it('is asked for the rest when the download breaks off, and checked as a whole', async () => {
    const catalogue = new OneImage('kernel');
    catalogue.breaks.push(2, 1);
    expect(await read(await openWith(catalogue), reference)).toBe('kernel');
    expect(catalogue.offsets).toEqual([0, 2, 3]);
  });

  it('is given up when the download breaks off again and again', async () => {
    const catalogue = new OneImage('kernel');
    catalogue.breaks.push(1, 1, 1, 1);
    const bench = await openWith(catalogue);
    await expect(read(bench, reference)).rejects.toMatchObject({ code: 'IMAGE_UNAVAILABLE' });
    expect(catalogue.offsets).toEqual([0, 1, 2, 3]);
    expect(await namesIn(bench)).toEqual([]);
  });

  it.each([
    ['checksum', {}],
    ['date', { checksum: null }],
  ])('is fetched once for each %s', async (_title, overrides) => {
    const catalogue = new OneImage('kernel', overrides);
    const bench = await openWith(catalogue);
    await read(bench, reference);
    await read(bench, reference);
    expect(catalogue.offsets).toEqual([0]);
    catalogue.bytes = 'another';
    catalogue.image = imageOf('another', { ...overrides, updatedAt: '2026-01-02T00:00:00Z' });
    expect(await read(bench, reference)).toBe('another');
    expect(await namesIn(bench)).toHaveLength(1);
  });

  it('without content is not fetched', async () => {
    const catalogue = new OneImage('', { status: 'queued' });
    await expect(read(await openWith(catalogue), reference)).rejects.toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      message: expect.stringContaining('it is queued'),
    });
    expect(catalogue.offsets).toEqual([]);
  });

  it('is refused where no Glance is configured, and what to configure is told', async () => {
    await expect(read(await openWith(undefined), reference)).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      hint: expect.stringContaining('settings.images.glance'),
    });
  });
});

describe('an image of a project', () => {
  const accepted: readonly ImageMember[] = [{ projectId: 'p2', status: 'accepted' }];
  const pending: readonly ImageMember[] = [{ projectId: 'p2', status: 'pending' }];

  it.each([
    ['public', {}, { owner: 'p2' }, [], true],
    ['community', {}, { owner: 'p2' }, [], true],
    ['private', {}, {}, [], true],
    ['private', {}, { owner: 'p1' }, [], true],
    ['private', {}, { lessee: 'p1' }, [], true],
    ['private', {}, { owner: 'p2', lessee: 'p1' }, [], true],
    ['private', {}, { owner: 'p1', lessee: 'p2' }, [], false],
    ['private', {}, { owner: 'p2' }, [], false],
    ['private', {}, { lessee: 'p2' }, [], false],
    ['private', {}, { owner: 'p2' }, accepted, false],
    ['private', { owner: null }, { owner: 'p2' }, [], false],
    ['shared', {}, { owner: 'p2' }, accepted, true],
    ['shared', {}, { lessee: 'p2' }, accepted, true],
    ['shared', {}, { owner: 'p2' }, pending, false],
    ['shared', {}, { owner: 'p3' }, accepted, false],
    ['shared', {}, { owner: 'p1' }, [], true],
    ['of a new kind', {}, { owner: 'p2' }, accepted, false],
  ] as const)(
    'that is %s %j, for a node of %j, members %j: %s',
    async (visibility, overrides, node, members, isGiven) => {
      const catalogue = new OneImage('kernel', { visibility, ...overrides });
      catalogue.members = members;
      const bench = await openWith(catalogue);
      const outcomes = await Promise.all([
        read(bench, reference, taskOf(node)).catch((error: unknown) => (error as { code: string }).code),
        bench.images.describe(reference, taskOf(node)).then(() => 'described', String),
      ]);
      const refused = ['INVALID_PARAMETER', expect.stringContaining('There is no image')];
      expect(outcomes).toEqual(isGiven ? ['kernel', 'described'] : refused);
    },
  );

  it('is refused as if there were none', async () => {
    const catalogue = new OneImage('kernel', { visibility: 'private' });
    const { images } = await openWith(catalogue);
    const refusal = async () => images.describe(reference, taskOf({ owner: 'p2' })).catch((error: unknown) => error);
    const ofAnother = await refusal();
    catalogue.image = undefined;
    expect(ofAnother).toEqual(await refusal());
  });

  it('is refused to one node while another fetches it', async () => {
    const catalogue = new OneImage('kernel', { visibility: 'private' });
    const bench = await openWith(catalogue);
    const outcome = await bench.images.withFile(reference, taskOf({ owner: 'p1' }), () =>
      read(bench, reference, taskOf({ owner: 'p2' })).catch(String),
    );
    expect(outcome).toContain('There is no image');
  });
});
