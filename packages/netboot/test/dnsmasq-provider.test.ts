import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isIronbarkError, type DhcpBoot } from '@ironbark/core';
import { array, asyncProperty, check, constantFrom, oneof, string, webUrl } from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { dhcpConfig, type DnsmasqOptions } from '../src/dhcp/dhcp-options.ts';
import { DnsmasqProvider } from '../src/dhcp/dnsmasq-provider.ts';
import { acceptsConf, startDnsmasq, writeDnsmasqConf, type Dnsmasq } from './dnsmasq.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { setUmask } from './umask.ts';

const macAddress = '52:54:00:12:34:56';
const fileName = '52-54-00-12-34-56';
const nodeUuid = '00000001-0000-4000-8000-000000000000';
const otherNode = '00000001-0000-4000-8000-000000000001';
const portUuid = '00000002-0000-4000-8000-000000000000';
const otherPort = '00000002-0000-4000-8000-000000000001';

const bootFiles: DhcpBoot['bootFiles'] = {
  ipxe: 'http://192.0.2.1:8080/boot.ipxe',
  bios: 'undionly.kpxe',
  'uefi-x86_64': 'snponly.efi',
  'uefi-arm64': 'arm64/snponly.efi',
  'http-x86_64': 'http://192.0.2.1:8080/snponly.efi',
  'http-arm64': 'http://[2001:db8::1]/snponly-arm64.efi',
};
const card: DhcpBoot = { portUuid, macAddress, bootFiles };

let base: string;
let directory: string;

beforeEach(async () => {
  base = await temporaryDirectory();
  directory = join(base, 'dnsmasq');
});

async function openProvider(settings: object = {}, tftpRoot = base): Promise<DnsmasqProvider> {
  const options = dhcpConfig.parse({ provider: 'dnsmasq', directory, ...settings }) as DnsmasqOptions;
  const provider = new DnsmasqProvider(options, tftpRoot);
  await provider.prepare();
  return provider;
}

async function start(): Promise<Dnsmasq> {
  return await startDnsmasq(base, join(directory, 'ironbark.conf'));
}

/** Waits until dnsmasq names another boot file than before. */
async function nextBootFile(dnsmasq: Dnsmasq, before: string): Promise<string> {
  return await vi.waitFor(async () => {
    const { bootFile } = await dnsmasq.ask({ macAddress, architecture: 0 });
    if (bootFile === before) throw new Error(`dnsmasq still names ${JSON.stringify(before)}`);
    return bootFile;
  }, 5000);
}

/** Waits until dnsmasq has read a change and gives this boot file. */
async function expectBootFile(dnsmasq: Dnsmasq, bootFile: string): Promise<void> {
  await vi.waitFor(async () => {
    expect((await dnsmasq.ask({ macAddress, architecture: 0 })).bootFile).toBe(bootFile);
  }, 5000);
}

describe('a machine that asks a real dnsmasq', () => {
  it.each([
    ['a BIOS', { architecture: 0 }, 'undionly.kpxe'],
    ['a UEFI firmware', { architecture: 7 }, 'snponly.efi'],
    ['a UEFI firmware of the first days', { architecture: 9 }, 'snponly.efi'],
    ['a UEFI firmware on ARM', { architecture: 11 }, 'arm64/snponly.efi'],
    ['iPXE on a BIOS', { architecture: 0, isIpxe: true }, 'http://192.0.2.1:8080/boot.ipxe'],
    ['iPXE on UEFI', { architecture: 7, isIpxe: true }, 'http://192.0.2.1:8080/boot.ipxe'],
    ['UEFI HTTP boot', { architecture: 16 }, 'http://192.0.2.1:8080/snponly.efi'],
    ['UEFI HTTP boot on ARM', { architecture: 19 }, 'http://[2001:db8::1]/snponly-arm64.efi'],
    ['a firmware that we have nothing for', { architecture: 6 }, ''],
    ['an operating system', {}, ''],
  ])('gets its boot file: %s', async (_, question, bootFile) => {
    await (await openProvider()).apply(nodeUuid, [card]);
    expect((await (await start()).ask({ macAddress, ...question })).bootFile).toBe(bootFile);
  });

  it('is told that it speaks to a server for UEFI HTTP boot when that is what it asks for', async () => {
    await (await openProvider()).apply(nodeUuid, [card]);
    const dnsmasq = await start();
    const vendorClass = 'HTTPClient:Arch:00016:UNDI:003001';
    expect(await dnsmasq.ask({ macAddress, architecture: 16, vendorClass })).toMatchObject({
      vendorClass: 'HTTPClient',
    });
    expect(await dnsmasq.ask({ macAddress, architecture: 7 })).toMatchObject({ vendorClass: '' });
  });

  it('is told nothing when nobody deployed it', async () => {
    await (await openProvider()).apply(nodeUuid, [card]);
    const answer = await (await start()).ask({ macAddress: '52:54:00:99:99:99', architecture: 16 });
    expect(answer).toMatchObject({ bootFile: '', vendorClass: '' });
  });

  it.each([
    [{}, '127.0.0.1'],
    [{ tftp_server: '192.0.2.7' }, '192.0.2.7'],
  ])('with %j is sent to the TFTP server %s', async (settings, nextServer) => {
    await (await openProvider(settings)).apply(nodeUuid, [card]);
    expect(await (await start()).ask({ macAddress, architecture: 0 })).toMatchObject({ nextServer });
  });
});

describe('a dnsmasq that runs', () => {
  it('learns of a card, of another boot file for it, and of its end, without a signal', async () => {
    const provider = await openProvider();
    const dnsmasq = await start();
    const told: string[] = [];
    const other = { ...card, bootFiles: { ...bootFiles, bios: 'other.kpxe' } };
    for (const change of [
      () => provider.apply(nodeUuid, [card]),
      () => provider.apply(nodeUuid, [other]),
      () => provider.remove(nodeUuid, [card]),
    ]) {
      await change();
      told.push(await nextBootFile(dnsmasq, told.at(-1) ?? ''));
    }
    expect(told).toEqual(['undionly.kpxe', 'other.kpxe', '']);
  });

  it('stops naming a boot file that a card no longer has', async () => {
    const provider = await openProvider();
    const dnsmasq = await start();
    await provider.apply(nodeUuid, [card]);
    await expectBootFile(dnsmasq, 'undionly.kpxe');
    await provider.apply(nodeUuid, [{ ...card, bootFiles: { 'uefi-x86_64': 'grubx64.efi' } }]);
    await expectBootFile(dnsmasq, '');
    expect((await dnsmasq.ask({ macAddress, architecture: 7 })).bootFile).toBe('grubx64.efi');
  });
});

describe('remove', () => {
  it('leaves a card that another port has meanwhile', async () => {
    const provider = await openProvider();
    await provider.apply(nodeUuid, [card]);
    await provider.apply(nodeUuid, [{ ...card, portUuid: otherPort }]);
    await provider.remove(nodeUuid, [card]);
    expect(await readFile(join(directory, 'hosts', fileName), 'utf8')).toContain(otherPort);
    expect(await readdir(join(directory, 'options'))).toEqual([fileName]);
  });

  it('leaves a card whose port belongs to another node meanwhile', async () => {
    const provider = await openProvider();
    await provider.apply(nodeUuid, [card]);
    await provider.apply(otherNode, [card]);
    await provider.remove(nodeUuid, [card]);
    expect(await readFile(join(directory, 'hosts', fileName), 'utf8')).toContain(otherNode);
    expect(await readdir(join(directory, 'options'))).toEqual([fileName]);
    await provider.remove(otherNode, [card]);
    expect(await readdir(join(directory, 'options'))).toEqual([]);
  });

  it('may be repeated, and come before any apply', async () => {
    const provider = await openProvider();
    await provider.remove(nodeUuid, [card]);
    await provider.apply(nodeUuid, [card]);
    await provider.remove(nodeUuid, [card]);
    await provider.remove(nodeUuid, [card]);
    expect(await readFile(join(directory, 'hosts', fileName), 'utf8')).not.toContain(portUuid);
    expect(await readdir(join(directory, 'options'))).toEqual([]);
  });
});

describe('prepare', () => {
  it('forgets cards that are gone, once dnsmasq must have read it', async () => {
    const provider = await openProvider();
    const other: DhcpBoot = { portUuid: otherPort, macAddress: '52:54:00:12:34:57', bootFiles };
    await provider.apply(nodeUuid, [card, other]);
    await provider.remove(nodeUuid, [card]);
    await openProvider();
    expect(await readdir(join(directory, 'hosts'))).toHaveLength(2);
    const before = new Date(Date.now() - 3_600_000);
    for (const name of await readdir(join(directory, 'hosts'))) {
      await utimes(join(directory, 'hosts', name), before, before);
    }
    await openProvider();
    expect(await readdir(join(directory, 'hosts'))).toEqual(['52-54-00-12-34-57']);
  });

  it('makes files and directories that dnsmasq may read, whatever the umask', async () => {
    setUmask(0o077);
    await (await openProvider()).apply(nodeUuid, [card]);
    const paths = ['ironbark.conf', `hosts/${fileName}`, `options/${fileName}`].map((path) => join(directory, path));
    const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode & 0o777));
    expect(modes).toEqual([0o644, 0o644, 0o644]);
    const directories = ['', 'hosts', 'options'].map(async (name) => (await stat(join(directory, name))).mode & 0o777);
    expect(await Promise.all(directories)).toEqual([0o755, 0o755, 0o755]);
  });

  it.each([
    [{}, ['enable-tftp', 'tftp-root=/srv/tftp']],
    [{ serve_tftp: false }, []],
  ])('with %j lets dnsmasq serve TFTP by %j', async (settings, lines) => {
    await openProvider(settings, '/srv/tftp');
    const text = await readFile(join(directory, 'ironbark.conf'), 'utf8');
    expect(text.split('\n').filter((line) => line.includes('tftp'))).toEqual(lines);
  });

  it('refuses a TFTP root that dnsmasq would read as something else', async () => {
    await expect(openProvider({}, '/srv/tftp,br0')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('says which directory cannot be written', async () => {
    await writeFile(directory, '');
    await expect(openProvider()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining(directory) as unknown,
    });
  });
});

const hostile = array(
  oneof(
    constantFrom(
      '\n',
      '\r',
      '\0',
      '\t',
      ' ',
      ',',
      '#',
      ' #',
      '"',
      '\\',
      ':',
      '!',
      'set:x',
      'tag:x',
      '[',
      ']',
      '=',
      '%',
    ),
    constantFrom('dhcp-script=/bin/sh', 'option:router,0.0.0.0', '192.0.2.1', '0x', '\\n', 'ä', '\u2028', 'a'),
    string({ unit: 'binary', maxLength: 8 }),
  ),
  { minLength: 1, maxLength: 6 },
).map((parts) => parts.join(''));

describe('whatever a record holds', () => {
  it.each<[string, (text: string) => DhcpBoot]>([
    ['the address of a card', (text) => ({ ...card, macAddress: text })],
    ['the end of an address', (text) => ({ ...card, macAddress: `${macAddress}${text}` })],
    ['the uuid of a port', (text) => ({ ...card, portUuid: `${portUuid}${text}` })],
    ['a boot file', (text) => ({ ...card, bootFiles: { bios: text } })],
    ['a boot file that begins well', (text) => ({ ...card, bootFiles: { bios: `a${text}` } })],
  ])('%s is refused by name or makes one line of each kind', async (_, make) => {
    const provider = await openProvider();
    const property = asyncProperty(hostile, async (text) => {
      const entry = make(text);
      try {
        await provider.apply(nodeUuid, [entry]);
      } catch (error) {
        return isIronbarkError(error, 'INVALID_PARAMETER');
      }
      const [host = '', options = ''] = await Promise.all(
        ['hosts', 'options'].map((kind) => readFile(join(directory, kind, fileName), 'utf8')),
      );
      const named = entry.bootFiles.bios ?? bootFiles.bios ?? '';
      return (
        /^# port [0-9a-f-]{36} of node [0-9a-f-]{36}\n52:54:00:12:34:56,set:ironbark,set:ironbark-[0-9a-f]{16}\n$/.test(
          host,
        ) &&
        options.split('\n').filter((line) => line.includes(`tag:ironbark-bios,option:bootfile-name,${named}`))
          .length === 1
      );
    });
    expect((await check(property, { numRuns: 500 })).counterexample).toBeNull();
    expect((await readdir(directory, { recursive: true })).every((path) => !path.includes('..'))).toBe(true);
  });

  it('every URL that is let through reaches the machine as it is, by a dnsmasq that accepts the files', async () => {
    const provider = await openProvider();
    const dnsmasq = await start();
    let arrived = 0;
    const property = asyncProperty(webUrl({ withQueryParameters: true }), async (url) => {
      try {
        await provider.apply(nodeUuid, [{ ...card, bootFiles: { bios: url } }]);
      } catch (error) {
        return isIronbarkError(error, 'INVALID_PARAMETER');
      }
      arrived++;
      await expectBootFile(dnsmasq, url);
      return await acceptsConf(await writeDnsmasqConf(base, join(directory, 'ironbark.conf')));
    });
    expect((await check(property, { numRuns: 40 })).counterexample).toBeNull();
    expect(arrived).toBeGreaterThan(5);
  });
});

describe('the judge', () => {
  it('does not accept a configuration with a line that dnsmasq does not know', async () => {
    const ours = join(base, 'ours.conf');
    await writeFile(ours, 'dhcp-match=set:a,option:client-arch,0\nshell\n');
    expect(await acceptsConf(await writeDnsmasqConf(base, ours))).toBe(false);
  });
});
