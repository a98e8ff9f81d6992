import { isIronbarkError, type ServedSystem } from '@ironbark/core';
import { array, asyncProperty, check, constantFrom, oneof, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { iscsiParameters, revealed } from '../src/index.ts';
import { runDracut, runInitramfsTools, shells } from './ramdisk-scripts.ts';
import { bootVolume, chap, iscsiBoot, iscsiPath } from './sources.ts';

type System = Pick<ServedSystem, 'root' | 'initramfsType'>;

const root = 'UUID=6e7f3a4c-0000-4000-8000-1234567890ab';
const dracut: System = { root, initramfsType: 'dracut' };
const debian: System = { root, initramfsType: 'initramfs-tools' };
const unknown: System = { root, initramfsType: null };
const iqn = 'iqn.2010-10.org.example:boot';
/** For tests that start many processes on a busy host. */
const processTimeoutMs = 60_000;

const programs = shells.map((shell) => ({ shell, name: shell.join(' ') }));
const v6Path = iscsiPath({ portal: { host: '2001:db8::1', port: 3261 }, lun: 10 });

function write(source: Parameters<typeof iscsiParameters>[0], system: System) {
  const { parameters, warnings } = iscsiParameters(source, system);
  return { words: parameters.map(revealed), line: parameters.map(revealed).join(' '), warnings, parameters };
}

/** Undefined when a value was refused. */
function tryWrite(...given: Parameters<typeof write>): string | undefined {
  try {
    return write(...given).line;
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return undefined;
    throw error;
  }
}

describe('parameters for dracut', () => {
  it('name every path with its portal, decimal LUN and target, and the credentials of all of them', () => {
    const volume = bootVolume(0, {
      paths: [iscsiPath(), v6Path],
      chap: chap('user', 'secret', chap('target', 'reverse')),
    });
    expect(write(iscsiBoot({ volume }), dracut)).toMatchObject({
      words: [
        `root=${root}`,
        'ip=dhcp',
        'rd.neednet=1',
        'rd.iscsi.initiator=iqn.2017-08.org.example:node',
        'rd.iscsi.username=user',
        'rd.iscsi.password=secret',
        'rd.iscsi.in.username=target',
        'rd.iscsi.in.password=reverse',
        `netroot=iscsi:storage.example::3260:0:${iqn}`,
        `netroot=iscsi:[2001:db8::1]::3261:10:${iqn}`,
      ],
      warnings: [],
    });
  });

  it('leave credentials out for a volume without', () => {
    const { line } = write(iscsiBoot({ volume: bootVolume(0, { chap: null }) }), dracut);
    expect(line).not.toContain('username');
  });

  it.each(programs)('are read back by its scripts under $name', async ({ shell }) => {
    const volume = bootVolume(0, {
      paths: [iscsiPath({ lun: 4095 }), v6Path],
      chap: chap('-n', '!#$%&()*+,-./0:;<=>?@[]^_`{|}~', chap('$(id)', '${HOME}')),
    });
    const { line } = write(iscsiBoot({ volume }), unknown);
    const read = await runDracut(shell, line, [iqn]);
    expect(read.initiator).toEqual(['InitiatorName=iqn.2017-08.org.example:node']);
    expect(read.discovered).toEqual(['storage.example:3260', '[2001:db8::1]:3261']);
    const updates = read.nodes.filter((call) => call.includes('--op=update'));
    expect(updates).toHaveLength(2);
    for (const update of updates) {
      expect(settings(update)).toMatchObject({
        'node.session.auth.username': '-n',
        'node.session.auth.password': '!#$%&()*+,-./0:;<=>?@[]^_`{|}~',
        'node.session.auth.username_in': '$(id)',
        'node.session.auth.password_in': '${HOME}',
      });
    }
    expect(read.started.sort()).toEqual([
      `iscsistarted-iscsi:[2001:db8::1]::3261:10:${iqn}`,
      `iscsistarted-iscsi:storage.example::3260:4095:${iqn}`,
    ]);
  });

  it('may be as long as the name of the file that dracut makes of them, and not longer', async () => {
    const portal = { host: '2001:db8:1111:2222:3333:4444:5555:6666', port: 65_535 };
    const longest = `iqn.2010-10.org.example:${'x'.repeat(255 - `iscsistarted-iscsi:[${portal.host}]::65535:1:`.length - 24)}`;
    const source = (name: string) =>
      iscsiBoot({ volume: bootVolume(0, { paths: [iscsiPath({ portal, lun: 1, iqn: name })] }) });
    const { line } = write(source(longest), dracut);
    expect((await runDracut(['dash'], line, [longest])).started[0]).toHaveLength(255);
    expect(() => write(source(`${longest}x`), dracut)).toThrow('target_iqn of volume target target-0');
    expect(write(source(`${longest}x`), debian).warnings).toEqual([]);
  });
});

describe('parameters for initramfs-tools', () => {
  it('describe the first path and warn of others', () => {
    const volume = bootVolume(0, {
      paths: [v6Path, iscsiPath()],
      chap: chap('user', 'secret', chap('target', 'reverse')),
    });
    expect(write(iscsiBoot({ volume }), debian)).toMatchObject({
      words: [
        `root=${root}`,
        'ip=dhcp',
        'iscsi_initiator=iqn.2017-08.org.example:node',
        `iscsi_target_name=${iqn}`,
        'iscsi_target_ip=2001:db8::1',
        'iscsi_target_port=3261',
        'iscsi_target_group=1',
        'iscsi_username=user',
        'iscsi_password=secret',
        'iscsi_in_username=target',
        'iscsi_in_password=reverse',
      ],
      warnings: ['A ramdisk of initramfs-tools logs in to the first path of volume target target-0 only.'],
    });
  });

  it.each(programs)('are read back by its script under $name', async ({ shell }) => {
    const volume = bootVolume(0, { chap: chap('-n', '!#$%&()*+,-./0:;<=>?@[]^_`{|}~', chap('$(id)', '${HOME}')) });
    const { line } = write(iscsiBoot({ volume }), unknown);
    const [call] = await runInitramfsTools(shell, line);
    const target = ['-i', 'iqn.2017-08.org.example:node', '-t', iqn, '-g', '1', '-a', 'storage.example', '-p', '3260'];
    const credentials = ['-u', '-n', '-w', '!#$%&()*+,-./0:;<=>?@[]^_`{|}~', '-U', '$(id)', '-W', '${HOME}'];
    expect(call).toEqual(['iscsistart', ...target, ...credentials]);
  });
});

describe('parameters for an unknown ramdisk', () => {
  it('are those of both, with root and ip once', () => {
    const names = write(iscsiBoot(), unknown).words.map((word) => word.split('=')[0]);
    expect(names.filter((name) => name === 'root' || name === 'ip')).toEqual(['root', 'ip']);
    expect(names).toEqual(expect.arrayContaining(['netroot', 'rd.iscsi.initiator', 'iscsi_target_name']));
  });
});

describe('further volumes', () => {
  it('are told of, because no ramdisk attaches them', () => {
    const source = iscsiBoot({ extraVolumes: [bootVolume(1)] });
    expect(write(source, dracut).warnings).toEqual([expect.stringContaining('volume-1 (volume target target-1)')]);
  });
});

describe('values', () => {
  it.each([
    ['auth_username', chap('a b', 'x')],
    ['auth_username', chap('', 'x')],
    ['auth_password', chap('a', 'Geheim 7')],
    ['auth_password', chap('a', 'Geheim"7')],
    ['auth_password', chap('a', "Geheim'7")],
    ['auth_password', chap('a', 'Geheim\\7')],
    ['auth_password', chap('a', 'Geheim\u00e07')],
    ['auth_password', chap('a', 'Geheim7'.repeat(40))],
    ['mutual_auth_username', chap('a', 'x', chap('a\nb', 'y'))],
    ['mutual_auth_password', chap('a', 'x', chap('t', 'Geheim\n7'))],
  ])('that a ramdisk would read as something else are refused: %s', (field, credentials) => {
    const source = iscsiBoot({ volume: bootVolume(0, { chap: credentials }) });
    for (const system of [dracut, debian]) {
      const refuse = () => iscsiParameters(source, system);
      expect(refuse).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
      expect(refuse).toThrow(`The ${field} of volume target target-0`);
      expect(refuse).not.toThrow(/Geheim/);
    }
  });

  it.each([
    ['target_portal', iscsiPath({ portal: { host: 'a b', port: 1 } })],
    ['target_portal', iscsiPath({ portal: { host: 'a', port: 0 } })],
    ['target_lun', iscsiPath({ lun: 65_536 })],
    ['target_iqn', iscsiPath({ iqn: 'iqn.2010-10.org.example:a b' })],
    ['target_iqn', iscsiPath({ iqn: 'iqn.2010-10.org.example:iqn.b' })],
  ])('of a path are checked: %s', (field, path) => {
    const source = iscsiBoot({ volume: bootVolume(0, { paths: [iscsiPath(), path] }) });
    expect(() => iscsiParameters(source, dracut)).toThrow(`The ${field} of volume target target-0`);
  });

  it.each(['/dev/sda1', 'UUID=x y', 'LABEL=', 'LABEL=a b', "LABEL=a'b", 'LABEL=a;b', 'UUID=6e7f3a4c init=/x'])(
    'of the root are checked: %j',
    (value) => {
      expect(() => iscsiParameters(iscsiBoot(), { ...dracut, root: value })).toThrow('root file system');
    },
  );

  it('check the name of the initiator', () => {
    expect(() => iscsiParameters(iscsiBoot({ initiatorIqn: 'iqn.x y' }), dracut)).toThrow('volume connector');
  });

  it('keep passwords secret in the parameters', () => {
    const { parameters } = write(iscsiBoot(), unknown);
    expect(parameters.join(' ')).not.toContain('password0');
  });

  it(
    'that are let through reach the commands of both ramdisks unchanged',
    async () => {
      const text = array(
        oneof(
          constantFrom(' ', '"', "'", '\\', '\\x41', '\n', '$(id)', '`id`', '*', '[a]', '~', ':', '@', '-', 'é'),
          string({ unit: 'grapheme-ascii', maxLength: 8 }),
          string({ maxLength: 4 }),
        ),
        { minLength: 1, maxLength: 5 },
      ).map((parts) => parts.join(''));
      let arrived = 0;
      const property = asyncProperty(text, text, async (username, password) => {
        const source = iscsiBoot({ volume: bootVolume(0, { chap: chap(username, password) }) });
        const line = tryWrite(source, unknown);
        if (line === undefined) return;
        arrived += 1;
        const [call] = await runInitramfsTools(['dash'], line);
        expect(call?.slice(-4)).toEqual(['-u', username, '-w', password]);
        const { nodes } = await runDracut(['dash'], line, [iqn]);
        expect(nodes.map(settings)[0]).toMatchObject({
          'node.session.auth.username': username,
          'node.session.auth.password': password,
        });
      });
      expect((await check(property, { numRuns: 150 })).errorInstance).toBeNull();
      expect(arrived).toBeGreaterThan(5);
    },
    processTimeoutMs,
  );
});

/** The settings of a call `iscsiadm --op=update --name=… --value=…`. */
function settings(call: readonly string[]): Readonly<Record<string, string>> {
  const values = call.flatMap((word, index): (readonly [string, string])[] => {
    const next = call[index + 1];
    return word.startsWith('--name=') && next !== undefined ? [[word.slice(7), next.replace('--value=', '')]] : [];
  });
  return Object.fromEntries(values);
}
