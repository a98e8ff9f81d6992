import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, type ServiceHost } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { netbootConfig, netbootService, type Netboot, type NetbootOptions } from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { setUmask } from './umask.ts';

async function open(settings: unknown, overrides: Partial<ServiceHost<NetbootOptions>> = {}): Promise<Netboot> {
  const stateDirectory = overrides.stateDirectory ?? (await temporaryDirectory());
  const config = netbootConfig.parse(settings);
  return await netbootService.create({ config, log: silentLogger, stateDirectory, ...overrides });
}

describe('settings', () => {
  it('may be missing', () => {
    expect(netbootConfig.parse(undefined)).toEqual({
      httpRoot: undefined,
      tftpRoot: undefined,
      httpUrl: undefined,
      listen: undefined,
      fileModes: { http: 0o640, tftp: 0o644 },
      dhcp: { provider: 'none' },
    });
  });

  it('take the URL without a slash at its end', () => {
    expect(netbootConfig.parse({ http_url: 'https://[2001:db8::1]:8080/boot//' }).httpUrl).toBe(
      'https://[2001:db8::1]:8080/boot',
    );
  });

  it.each([
    ['http_url', 'ftp://a/'],
    ['http_url', 'http://user:password@a/'],
    ['http_url', 'http://a/?b'],
    ['http_url', 'http://a/#b'],
    ['http_url', 'http://a/ b'],
    ['http_url', 'a'],
    ['http_root', 'relative/path'],
    ['tftp_root', ''],
    ['listen', { host: '0.0.0.0', port: 65_536 }],
    ['listen', { host: '', port: 1 }],
    ['listen', { host: '::' }],
    ['file_mode', '0777'],
    ['file_mode', 640],
    ['file_mode', '0240'],
    ['tftp_file_mode', '0777'],
    ['dhcp', { provider: 'dnsmasq' }],
    ['dhcp', { provider: 'dnsmasq', directory: 'relative' }],
    ['dhcp', { provider: 'dnsmasq', directory: '/a b' }],
    ['dhcp', { provider: 'dnsmasq', directory: '/a', tftp_server: 'tftp.example' }],
    ['dhcp', { provider: 'none', directory: '/a' }],
    ['httpUrl', 'http://a/'],
  ])('refuse %s: %j', (key, value) => {
    const { success, error } = netbootConfig.safeParse({ [key]: value });
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).toContain(key);
  });

  it.each([
    [{ provider: 'dnsmasq' }, ['dhcp', 'directory']],
    [{ provider: 'dnsmasq', directory: '/a', tftp_server: 'tftp.example' }, ['dhcp', 'tftp_server']],
    [{ provider: 'isc' }, ['dhcp', 'provider']],
  ])('name the key that is wrong in dhcp: %j', (dhcp, path) => {
    expect(netbootConfig.safeParse({ dhcp }).error?.issues.map((issue) => issue.path)).toEqual([path]);
  });

  it('have a JSON schema for editors', () => {
    expect(z.toJSONSchema(netbootConfig, { io: 'input' })).toMatchObject({
      properties: { http_url: { type: 'string' } },
    });
  });
});

describe('the service', () => {
  it('keeps the roots in its state directory by default and knows no URL', async () => {
    const stateDirectory = await temporaryDirectory();
    const netboot = await open({}, { stateDirectory });
    expect(await readdir(stateDirectory)).toEqual(['http', 'tftp']);
    expect(netboot).toMatchObject({ httpUrl: null, httpAddress: null });
  });

  it('serves the HTTP root and derives the URL from the address', async () => {
    const root = join(await temporaryDirectory(), 'made', 'by', 'us');
    const netboot = await open({ http_root: root, listen: { host: '127.0.0.1', port: 0 } });
    try {
      expect(netboot.httpUrl).toBe(`http://127.0.0.1:${netboot.httpAddress?.port}`);
      await writeFile(join(root, 'file'), 'content');
      expect(await (await fetch(`${netboot.httpUrl}/file`)).text()).toBe('content');
    } finally {
      await netboot.close();
    }
    await expect(fetch(`${netboot.httpUrl}/file`)).rejects.toThrow('fetch failed');
  });

  it('tells machines the configured URL, not the address that it listens on', async () => {
    const netboot = await open({ http_url: 'http://boot.example', listen: { host: '127.0.0.1', port: 0 } });
    await netboot.close();
    expect(netboot.httpUrl).toBe('http://boot.example');
  });

  it('does not take the address of all interfaces for a URL', async () => {
    const netboot = await open({ listen: { host: '0.0.0.0', port: 0 } }, { dryRun: true });
    expect(netboot.httpUrl).toBeNull();
  });

  it('writes and listens nowhere in a dry run', async () => {
    const stateDirectory = join(await temporaryDirectory(), 'missing');
    const netboot = await open({ listen: { host: '127.0.0.1', port: 8080 } }, { stateDirectory, dryRun: true });
    expect(netboot).toMatchObject({ httpUrl: 'http://127.0.0.1:8080', httpAddress: null });
    await expect(readdir(stateDirectory)).rejects.toThrow('ENOENT');
  });

  it('names the setting when a root cannot be made', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'file'), '');
    const opened = open({ tftp_root: join(directory, 'file', 'root') });
    await expect(opened).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('tftp_root') as unknown,
    });
  });

  it('uses a root that exists', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'root'));
    const netboot = await open({ http_root: join(directory, 'root') });
    expect(netboot.tree.directory('http')).toBe(join(directory, 'root'));
  });

  it('makes roots that those may enter who may read the files in them, whatever the umask', async () => {
    setUmask(0o077);
    const directory = await temporaryDirectory();
    await open({ http_root: join(directory, 'h/http'), tftp_root: join(directory, 't/tftp') });
    const modes = ['h', 'h/http', 't', 't/tftp'].map(async (name) => (await stat(join(directory, name))).mode & 0o777);
    expect(await Promise.all(modes)).toEqual([0o750, 0o750, 0o755, 0o755]);
  });

  it('refuses one directory for both roots, also in a dry run', async () => {
    const directory = await temporaryDirectory();
    const settings = { http_root: directory, tftp_root: `${directory}/` };
    for (const dryRun of [false, true]) {
      await expect(open(settings, { dryRun })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        hint: expect.stringContaining('settings.netboot.tftp_root') as unknown,
      });
    }
  });

  it('refuses a root that is a link to the other', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'http'));
    await symlink('http', join(directory, 'tftp'));
    await expect(open({}, { stateDirectory: directory })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
