import { isIronbarkError, Secret, secretText } from '@ironbark/core';
import { array, asyncProperty, check, constantFrom, oneof, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  httpDevice,
  renderGrubConfig,
  renderGrubDiskBoot,
  renderMasterGrubConfig,
  tftpDevice,
  type GrubEntry,
} from '../src/index.ts';
import { card, checkGrubScript, runGrub } from './grub-emu.ts';

const entry: GrubEntry = {
  title: 'boot_iscsi',
  kernel: '(tftp)/6e7f/kernel',
  ramdisk: '(tftp)/6e7f/ramdisk',
  parameters: ['root=UUID=1', 'ro'],
  namesCard: false,
};
/** For tests that start many processes on a busy host. */
const processTimeoutMs = 60_000;
const options = { menuTimeoutSeconds: 0, rebootDelaySeconds: 1 };

function render(changes: Partial<GrubEntry> = {}): string {
  return renderGrubConfig({ ...entry, ...changes }, options).reveal();
}

/** Undefined when a parameter was refused. */
function tryRender(parameters: readonly string[]): string | undefined {
  try {
    return render({ parameters });
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return undefined;
    throw error;
  }
}

describe('the configuration of a node', () => {
  it('is one entry that boots by itself', () => {
    expect(render().split('\n')).toEqual([
      "set default='boot_iscsi'",
      "set timeout='0'",
      '',
      "menuentry 'boot_iscsi' --id 'boot_iscsi' {",
      "  echo 'Loading the kernel and its ramdisk.'",
      "  if linux '(tftp)/6e7f/kernel' 'root=UUID=1' 'ro'; then",
      "    if initrd '(tftp)/6e7f/ramdisk'; then",
      '      boot',
      '    fi',
      '  fi',
      '  echo "The kernel or its ramdisk could not be fetched, or does not start."',
      "  echo 'Rebooting in 1 seconds.'",
      '  sleep 1',
      '  reboot',
      '}',
      '',
    ]);
  });

  it('makes GRUB load the kernel with its parameters and the ramdisk', async () => {
    const config = render({
      parameters: ['root=LABEL=x', 'dyndbg=file a +p; file b', 'a=$x{}|&<>#*?[b]~!`'],
      namesCard: true,
    });
    await checkGrubScript(config);
    const { calls } = await runGrub(config);
    expect(calls).toEqual([
      [
        'linux',
        '(tftp)/6e7f/kernel',
        'root=LABEL=x',
        'dyndbg=file a +p; file b',
        'a=$x{}|&<>#*?[b]~!`',
        `BOOTIF=01-${card}`,
      ],
      ['initrd', '(tftp)/6e7f/ramdisk'],
    ]);
  });

  it.each([
    ['the kernel', { linux: 'false' }, ['linux']],
    ['the ramdisk', { initrd: 'false' }, ['linux', 'initrd']],
  ] as const)('makes the machine start over when %s cannot be fetched', async (_, commands, called) => {
    const { calls, screen } = await runGrub(render(), commands);
    expect(calls.map(([name]) => name)).toEqual(called);
    expect(screen).toContain('could not be fetched');
    expect(screen).toContain('Rebooting in 1 seconds.');
  });

  it('shows passwords only to those who reveal it', () => {
    const parameters = [secretText`iscsi_password=${Secret.of('Geheim7')}`];
    const config = renderGrubConfig({ ...entry, parameters }, options);
    expect(String(config)).not.toContain('Geheim7');
    expect(config.reveal()).toContain("'iscsi_password=Geheim7'");
  });

  it.each([
    ['a single quote', "a=b'c", 'kernel parameter a'],
    ['a double quote', 'a=b"c', 'kernel parameter a'],
    ['a backslash, which GRUB doubles', 'a=b\\c', 'kernel parameter a'],
    ['a line break', 'a=b\nreboot', 'kernel parameter a'],
    ['a blank outside of a value', 'a b=c', 'kernel parameter'],
    ['a byte that the kernel takes for a blank', 'a=\u00e0', 'kernel parameter a'],
    ['nothing', '', 'kernel parameter'],
    ['an end of the parameters', '--', 'kernel parameter'],
  ])('refuses %s in a parameter', (_, parameter, field) => {
    expect(() => render({ parameters: [parameter] })).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
    expect(() => render({ parameters: [parameter] })).toThrow(`The ${field} `);
  });

  it('refuses a line that the kernel would cut, with what GRUB adds to it', () => {
    const room = 2047 - 'BOOT_IMAGE=(tftp)/6e7f/kernel '.length;
    expect(render({ parameters: ['a'.repeat(room)] })).toContain('aaa');
    expect(() => render({ parameters: ['a'.repeat(room + 1)] })).toThrow('longer than 2047 bytes');
    expect(() => render({ parameters: ['a'.repeat(room)], namesCard: true })).toThrow('longer than 2047 bytes');
  });

  it(
    'keeps every value a value',
    async () => {
      const text = array(
        oneof(
          constantFrom(
            "'",
            '"',
            '\\',
            '$',
            '${root}',
            '{',
            '}',
            ';',
            '|',
            '&',
            '<',
            '>',
            '#',
            '\n',
            '\r',
            '\0',
            ' ',
            '\t',
          ),
          constantFrom(
            "'; reboot; '",
            '`',
            '*',
            '?',
            '[a]',
            '~',
            '!',
            '$(x)',
            'é',
            '\u00a0',
            '\u2028',
            '\uD800',
            '--',
            '=',
            'a',
          ),
          string({ unit: 'binary', maxLength: 5 }),
          string({ unit: 'grapheme-ascii', maxLength: 9 }),
        ),
        { minLength: 1, maxLength: 5 },
      ).map((parts) => parts.join(''));
      let arrived = 0;
      const property = asyncProperty(text, text, async (one, other) => {
        const parameters = [`root=${one}`, `name=${other}`];
        const config = tryRender(parameters);
        if (config === undefined) return;
        arrived += 1;
        await checkGrubScript(config);
        const { calls } = await runGrub(config, { initrd: 'exit' });
        expect(calls).toEqual([
          ['linux', entry.kernel, ...parameters],
          ['initrd', entry.ramdisk],
        ]);
      });
      expect((await check(property, { numRuns: 250 })).errorInstance).toBeNull();
      expect(arrived).toBeGreaterThan(5);
    },
    processTimeoutMs,
  );
});

describe('the configuration of a machine that boots from its disk', () => {
  const config = renderGrubDiskBoot().reveal();
  // GRUB's own commands come before functions of the same name.
  const renamed = config.replaceAll(/\b(search|boot)(?= |$)/gm, 'own_$1');
  const boots = { chainloader: 'true', own_boot: 'exit' };

  it('starts the loader that is on a disk', async () => {
    await checkGrubScript(config);
    const { calls } = await runGrub(renamed, { ...boots, own_search: 'test "${4}" = /EFI/BOOT/BOOTAA64.EFI' });
    expect(calls).toEqual([
      ['own_search', '--no-floppy', '--set=root', '--file', '/EFI/BOOT/BOOTX64.EFI'],
      ['own_search', '--no-floppy', '--set=root', '--file', '/EFI/BOOT/BOOTAA64.EFI'],
      ['chainloader', '/EFI/BOOT/BOOTAA64.EFI'],
      // GRUB's "$@" is one empty word when there are none.
      ['own_boot', ''],
    ]);
  });

  it.each([
    ['there is none', { own_search: 'false' }, ['own_search', 'own_search']],
    [
      'none starts',
      { own_search: 'true', chainloader: 'false' },
      ['own_search', 'chainloader', 'own_search', 'chainloader'],
    ],
  ] as const)('ends GRUB with a failure when %s', async (_, commands, called) => {
    const { calls, screen } = await runGrub(renamed, { ...boots, ...commands });
    expect(calls.map(([name]) => name)).toEqual(called);
    expect(screen).not.toContain('end>');
    expect(config).toMatch(/\nexit 1\n$/);
  });
});

describe('the configuration for all machines', () => {
  const master = renderMasterGrubConfig(options).reveal();

  it('leads to the configuration of the network card', async () => {
    await checkGrubScript(master);
    const { calls, screen } = await runGrub(master, { initrd: 'exit' }, { [`${card}.conf`]: render() });
    expect(calls.map(([name]) => name)).toEqual(['linux', 'initrd']);
    expect(screen).not.toContain('No boot configuration');
  });

  it('names the card of a machine that nobody knows and starts it over', async () => {
    const { screen } = await runGrub(master);
    expect(screen).toContain(`No boot configuration was found for the network card ${card}.`);
    expect(screen).toContain('Rebooting in 1 seconds.');
    expect(screen).not.toContain('end>');
  });
});

describe('places of files', () => {
  it('are on the server that GRUB came from, or on one that an http URL names', () => {
    expect(tftpDevice).toBe('(tftp)');
    expect(httpDevice('http://192.0.2.1:8080')).toBe('(http,192.0.2.1:8080)');
    expect(httpDevice('http://boot.example/images/')).toBe('(http,boot.example)/images');
  });

  it.each(['https://192.0.2.1', 'http://[2001:db8::1]:8080', "http://a/b'c", 'http://a/b?c', 'http://a/%20'])(
    'cannot be %s',
    (url) => {
      expect(() => httpDevice(url)).toThrow('URL of the boot files');
    },
  );

  it.each(['kernel', 'ramdisk'] as const)('of the %s are quoted or refused', (name) => {
    expect(() => render({ [name]: "(tftp)/a'; reboot" })).toThrow(`path of the ${name}`);
    expect(() => render({ [name]: '(tftp)/a\nreboot' })).toThrow(`path of the ${name}`);
  });
});
