import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { imagesConfig, imageService } from '../src/index.ts';
import { ImageServer, file } from './support/image-server.ts';
import { openBench, read, urlImage } from './support/library.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const glance = { auth_url: 'https://keystone.example', username: 'u', user_domain_name: 'Default', password: 'p' };

describe('settings', () => {
  it('may be missing', () => {
    expect(imagesConfig.parse(undefined)).toEqual({
      cacheDirectory: undefined,
      cacheSizeBytes: 20 * 2 ** 30,
      fileDirectories: [],
      glance: undefined,
      timeoutMs: 60_000,
      verifyCa: true,
    });
  });

  it('have the timeout for Glance as well', () => {
    const { glance: options } = imagesConfig.parse({ timeout: 7, glance });
    expect(options?.session.patience.requestTimeoutMs).toBe(7000);
  });

  it.each([
    ['cache_directory', 'relative'],
    ['cache_directory', '/with/\0'],
    ['cache_size_gib', 0],
    ['cache_size_gib', '20'],
    ['file_directories', ['relative']],
    ['file_directories', '/srv'],
    ['timeout', 0],
    ['verify_ca', 'relative.pem'],
    ['cacheSize', 1],
  ])('refuse %s: %j', (key, value) => {
    const { success, error } = imagesConfig.safeParse({ [key]: value });
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).toContain(key);
  });

  it.each([
    ['auth_url', { ...glance, auth_url: undefined }],
    ['timeout', { ...glance, timeout: 5 }],
    ['password', { ...glance, password: undefined }],
  ])('refuse Glance with a wrong %s, and name the place', (key, section) => {
    const { error } = imagesConfig.safeParse({ glance: section });
    expect(JSON.stringify(error?.issues)).toMatch(new RegExp(`"path":\\["glance".*${key}|${key}.*"path":\\["glance"`));
  });

  it('have a JSON schema for editors', () => {
    expect(z.toJSONSchema(imagesConfig, { io: 'input', unrepresentable: 'any' })).toMatchObject({
      properties: { cache_size_gib: { type: 'number' } },
    });
  });
});

describe('the service', () => {
  it('keeps its cache in the state directory by default', async () => {
    const stateDirectory = await temporaryDirectory();
    const images = await imageService.create({ config: imagesConfig.parse({}), log: silentLogger, stateDirectory });
    await imageService.dispose?.(images);
    expect(await readdir(stateDirectory)).toEqual(['cache']);
  });

  it('writes nothing in a dry run, and fetches nothing', async () => {
    const server = await ImageServer.start(file('kernel'));
    const stateDirectory = join(await temporaryDirectory(), 'missing');
    const bench = await openBench({ cache_directory: undefined }, { stateDirectory, dryRun: true });
    await expect(read(bench, urlImage(server.url))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(readdir(stateDirectory)).rejects.toThrow('ENOENT');
    expect(server.requests).toEqual([]);
  });

  it('warns when certificates are not verified', async () => {
    expect((await openBench({ verify_ca: false })).warnings).toEqual([expect.stringContaining('not verified')]);
  });
});
