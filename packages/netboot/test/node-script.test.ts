import { inspect } from 'node:util';
import { Secret, type BootVolume, type FibreChannelBoot, type FibreChannelConnection } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import {
  renderAutoexecScript,
  renderGlobalScript,
  renderNodeScript,
  type NodeScriptRequest,
  type ScriptSource,
} from '../src/index.ts';
import { bootVolume, chap, iscsiBoot, iscsiPath, reportUrl, scriptOptions } from './sources.ts';

function render(source: ScriptSource, request: Partial<NodeScriptRequest> = {}): string {
  return renderNodeScript({ source, reportUrl, ...request }, scriptOptions).content.reveal();
}

/** The lines from a label to the empty line after it. */
function section(script: string, label: string): readonly string[] {
  const lines = script.split('\n');
  const start = lines.indexOf(`:${label}`);
  return start < 0 ? [] : lines.slice(start, lines.indexOf('', start));
}

const clearForward = ['clear username', 'clear password'];
const clearReverse = ['clear reverse-username', 'clear reverse-password'];
const bootUri = 'iscsi:storage.example::3260:0:iqn.2010-10.org.example:boot';

describe('the script of a node with one iSCSI volume', () => {
  it('is exactly this', () => {
    expect(render(iscsiBoot())).toBe(`#!ipxe

set attempts:int32 5
set i:int32 0
set delay:int32 0
goto boot_iscsi

:boot_iscsi
inc i
imgfree
set keep-san 0
set initiator-iqn iqn.2017-08.org.example:node

:boot_iscsi_1
set next fail_iscsi_retry
set username user0
set password password0
clear reverse-username
clear reverse-password
set drive 0x80
sanhook --drive 0x80 ${bootUri} || goto fail_iscsi
sanboot --no-describe --drive 0x80 || goto fail_iscsi

:fail_iscsi
set failure \${errno}
sanunhook --drive 0x80 ||
goto \${next}

:fail_iscsi_retry
iseq \${i} \${attempts} && goto fail ||
inc delay 5
echo iSCSI drive \${drive} failed: \${failure} (attempt \${i} of \${attempts})
echo Trying again in \${delay} seconds.
sleep \${delay} ||
goto boot_iscsi

:fail
echo Giving up after attempt \${i}: \${failure}
imgfetch --name boot-report --timeout 10000 http://192.0.2.1:6385/ironbark/v1/boot-report?token=t0ken&errno=\${failure}&drive=\${drive} ||
imgfree
echo Rebooting in 60 seconds.
sleep 60 ||
reboot
`);
  });

  it('shows neither passwords nor the token when it is printed', () => {
    const volume = bootVolume(0, { chap: chap('user0', 'password0', { ...chap('r', 'reverse0'), mutual: null }) });
    const { content } = renderNodeScript({ source: iscsiBoot({ volume }), reportUrl }, scriptOptions);
    expect([String(content), JSON.stringify(content), inspect(content)].join(' ')).not.toMatch(
      /password0|reverse0|t0ken/,
    );
    expect(content.reveal()).toMatch(/password0[^]*reverse0[^]*t0ken/);
  });

  it('sets the reverse credentials for mutual CHAP', () => {
    const volume = bootVolume(0, {
      chap: chap('user0', 'password0', { ...chap('target0', 'reverse0'), mutual: null }),
    });
    expect(section(render(iscsiBoot({ volume })), 'boot_iscsi_1').slice(2, 6)).toEqual([
      'set username user0',
      'set password password0',
      'set reverse-username target0',
      'set reverse-password reverse0',
    ]);
  });

  it('clears all credentials for a volume without CHAP', () => {
    const source = iscsiBoot({ volume: bootVolume(0, { chap: null }) });
    expect(section(render(source), 'boot_iscsi_1').slice(2, 6)).toEqual([...clearForward, ...clearReverse]);
  });
});

describe('the script of a node with further iSCSI volumes', () => {
  it('hooks each with its own credentials and sets those of the boot volume again before it boots', () => {
    expect(section(render(iscsiBoot({ extraVolumes: [bootVolume(1)] })), 'boot_iscsi_1')).toEqual([
      ':boot_iscsi_1',
      'set next boot_iscsi_2',
      'set username user0',
      'set password password0',
      ...clearReverse,
      'set drive 0x80',
      `sanhook --drive 0x80 ${bootUri} || goto fail_iscsi`,
      'set username user1',
      'set password password1',
      ...clearReverse,
      'set drive 0x81',
      'sanhook --drive 0x81 iscsi:storage.example::3260:1:iqn.2010-10.org.example:boot || goto fail_iscsi',
      'set username user0',
      'set password password0',
      ...clearReverse,
      'set drive 0x80',
      'sanboot --no-describe --drive 0x80 || goto fail_iscsi',
    ]);
  });

  it('clears the credentials of the boot volume for a further volume without CHAP', () => {
    const lines = section(render(iscsiBoot({ extraVolumes: [bootVolume(1, { chap: null })] })), 'boot_iscsi_1');
    const hook = lines.findIndex((line) => line.startsWith('sanhook --drive 0x81'));
    expect(lines.slice(hook - 5, hook - 1)).toEqual([...clearForward, ...clearReverse]);
  });

  it('does not describe what the iBFT has no entry for, and says so', () => {
    const source = iscsiBoot({ extraVolumes: [bootVolume(1), bootVolume(2), bootVolume(3)] });
    const { content, warnings } = renderNodeScript({ source, reportUrl: null }, scriptOptions);
    const hooks = section(content.reveal(), 'boot_iscsi_1').filter((line) => line.startsWith('sanhook'));
    expect(hooks.map((line) => line.split(' iscsi:')[0])).toEqual([
      'sanhook --drive 0x80',
      'sanhook --drive 0x81',
      'sanhook --no-describe --drive 0x82',
      'sanhook --no-describe --drive 0x83',
    ]);
    expect(warnings).toEqual([expect.stringContaining('volume-2'), expect.stringContaining('volume-3')]);
  });

  it('gives every drive back before it tries anything else', () => {
    const script = render(iscsiBoot({ extraVolumes: [bootVolume(1), bootVolume(2)] }));
    expect(section(script, 'fail_iscsi')).toEqual([
      ':fail_iscsi',
      'set failure ${errno}',
      'sanunhook --drive 0x82 ||',
      'sanunhook --drive 0x81 ||',
      'sanunhook --drive 0x80 ||',
      'goto ${next}',
    ]);
  });

  it('describes the boot volume alone when the firmware has no room for more', () => {
    const lines = section(render(iscsiBoot({ extraVolumes: [bootVolume(1)] })), 'boot_iscsi_2');
    expect(lines[1]).toBe('set next fail_iscsi_retry');
    expect(lines.filter((line) => line.startsWith('sanhook')).map((line) => line.split(' iscsi:')[0])).toEqual([
      'sanhook --drive 0x80',
      'sanhook --no-describe --drive 0x81',
    ]);
  });
});

describe('the script of a node with several paths', () => {
  const paths = [1, 2, 3].map((number) =>
    iscsiPath({
      portal: { host: `p${number}`, port: 3259 + number },
      iqn: `iqn.2010-10.org.example:t${number}`,
      lun: 9 + number,
    }),
  );
  const uris = [
    'iscsi:p1::3260:a:iqn.2010-10.org.example:t1',
    'iscsi:p2::3261:b:iqn.2010-10.org.example:t2',
    'iscsi:p3::3262:c:iqn.2010-10.org.example:t3',
  ];
  const source = iscsiBoot({ volume: bootVolume(0, { paths }) });

  /** The lines that hook the boot volume. */
  function hooksOf(multipath: boolean, label = 'boot_iscsi_1'): readonly string[] {
    const { content } = renderNodeScript({ source, reportUrl: null }, { ...scriptOptions, multipath });
    const lines = section(content.reveal(), label);
    return lines.slice(lines.indexOf('set drive 0x80') + 1);
  }

  it('tries one after the other, each with its own portal, name and LUN', () => {
    expect(hooksOf(false)).toEqual([
      `sanhook --drive 0x80 ${uris[0]} && goto hooked_1_0x80 ||`,
      'sanunhook --drive 0x80 ||',
      `sanhook --drive 0x80 ${uris[1]} && goto hooked_1_0x80 ||`,
      'sanunhook --drive 0x80 ||',
      `sanhook --drive 0x80 ${uris[2]} || goto fail_iscsi`,
      ':hooked_1_0x80',
      'sanboot --no-describe --drive 0x80 || goto fail_iscsi',
    ]);
  });

  it('first connects to as many together as the iBFT has entries when the site asks for that', () => {
    expect(hooksOf(true).filter((line) => line.startsWith('sanhook'))).toEqual([
      `sanhook --drive 0x80 ${uris[0]} ${uris[1]} && goto hooked_1_0x80 ||`,
      `sanhook --drive 0x80 ${uris[0]} && goto hooked_1_0x80 ||`,
      `sanhook --drive 0x80 ${uris[1]} && goto hooked_1_0x80 ||`,
      `sanhook --drive 0x80 ${uris[2]} || goto fail_iscsi`,
    ]);
  });

  it('uses a label of its own for every drive and arrangement', () => {
    const both = iscsiBoot({ volume: bootVolume(0, { paths }), extraVolumes: [bootVolume(1, { paths })] });
    const labels = render(both).match(/^:.+$/gm) ?? [];
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels.filter((label) => label.startsWith(':hooked'))).toHaveLength(4);
  });
});

describe('the end of a script that fails', () => {
  it('reports to nobody when there is no address', () => {
    const lines = section(`${render(iscsiBoot(), { reportUrl: null })}\n`, 'fail');
    expect(lines.join('\n')).not.toContain('imgfetch');
    expect(lines.at(-1)).toBe('reboot');
  });

  it.each([
    ['http://192.0.2.1/report/', 'http://192.0.2.1/report/t0ken?errno=${failure}&drive=${drive} ||'],
    ['http://192.0.2.1/report?token=', 'http://192.0.2.1/report?token=t0ken&errno=${failure}&drive=${drive} ||'],
  ])('appends the reason to an address that begins with %s', (prefix, end) => {
    expect(render(iscsiBoot(), { reportUrl: { prefix, token: Secret.of('t0ken') } })).toContain(
      `--timeout 10000 ${end}\n`,
    );
  });

  it.each([
    ['a token that would end the address', 'http://192.0.2.1/', 'Geheim b'],
    ['a token with another query', 'http://192.0.2.1/', 'Geheim&b'],
    ['an address that is no URL', '/report/', 'Geheim'],
    ['an address with a fragment', 'http://192.0.2.1/#', 'Geheim'],
  ])('refuses %s without showing it', (_, prefix, token) => {
    const refused = () => render(iscsiBoot(), { reportUrl: { prefix, token: Secret.of(token) } });
    expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
    expect(refused).not.toThrow('Geheim');
  });

  it('never ends in the next boot device', () => {
    const script = render(iscsiBoot({ extraVolumes: [bootVolume(1)] }));
    expect(script).not.toMatch(/\bexit\b/);
    expect(script).toMatch(/\nreboot\n$/);
  });
});

describe('the script of a kernel and a ramdisk', () => {
  const entry = {
    kernelUrl: 'http://192.0.2.1/kernel',
    ramdiskUrl: 'http://192.0.2.1/ramdisk',
    parameters: ['text', 'ipa-api-url=http://192.0.2.1:6385', 'motd=two words'],
  } as const;
  const ramdisk = { kind: 'ramdisk', ...entry } as const;

  it('fetches both with a timeout, starts the kernel with its parameters, and tries again when that fails', () => {
    const script = render(ramdisk);
    expect(section(script, 'boot_ramdisk')).toEqual([
      ':boot_ramdisk',
      'inc i',
      'imgfree',
      'kernel --name kernel --timeout 60000 http://192.0.2.1/kernel text ipa-api-url=http://192.0.2.1:6385 motd="two words" BOOTIF=${mac} initrd=ramdisk || goto fail_boot_ramdisk',
      'initrd --name ramdisk --timeout 60000 http://192.0.2.1/ramdisk || goto fail_boot_ramdisk',
      'boot || goto fail_boot_ramdisk',
      ':fail_boot_ramdisk',
      'set failure ${errno}',
    ]);
    expect(section(script, 'retry_boot_ramdisk').at(-1)).toBe('goto boot_ramdisk');
  });

  it.each(['ramdisk', 'nfs'] as const)('starts it when it is the source (%s), and says why it could not', (kind) => {
    const script = render({ ...entry, kind });
    expect(script).toContain(`\ngoto boot_${kind}\n`);
    expect(script).toContain('boot-report?token=t0ken&errno=${failure}&drive=${drive} ||\n');
  });

  it('is a second entry of an iSCSI script that only the console can choose', () => {
    const script = render(iscsiBoot(), { ramdisk: entry });
    expect(script).toContain('\nisset ${ironbark-entry} && goto ${ironbark-entry} ||\ngoto boot_iscsi\n');
    expect(section(script, 'deploy')).not.toEqual([]);
  });

  it.each([
    ['a kernel without a protocol', { kernelUrl: '/kernel' }],
    ['a kernel with a protocol that iPXE lacks', { kernelUrl: 'file:///kernel' }],
    ['a ramdisk with a blank', { ramdiskUrl: 'http://192.0.2.1/a b' }],
  ])('refuses %s', (_, change) => {
    expect(() => render({ ...ramdisk, ...change })).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
  });
});

describe('the script of a Fibre Channel volume', () => {
  function fibreChannelVolume(number: number, wwpns: readonly string[]): BootVolume<FibreChannelConnection> {
    const paths = wwpns.map((targetWwpn) => ({ initiatorWwpn: null, targetWwpn, lun: number }));
    return {
      targetUuid: `target-${number}`,
      volumeId: `volume-${number}`,
      connection: { kind: 'fibre_channel', paths },
    };
  }

  const one = '500a098280feeba5';
  const other = '500a098290feeba5';
  const oneUri = 'fcp:50:0a:09:82:80:fe:eb:a5:0000-0000-0000-0000';
  const otherUri = 'fcp:50:0a:09:82:90:fe:eb:a5:0000-0000-0000-0000';

  function fibreChannelBoot(overrides: Partial<FibreChannelBoot> = {}): FibreChannelBoot {
    return { kind: 'fibre_channel', volume: fibreChannelVolume(0, [one]), extraVolumes: [], ...overrides };
  }

  it('hooks it without a firmware table and boots from it', () => {
    const script = render(fibreChannelBoot());
    expect(script).toContain('\ngoto boot_fcp\n');
    expect(section(script, 'boot_fcp_1')).toEqual([
      ':boot_fcp_1',
      'set next fail_fcp_retry',
      'set drive 0x80',
      `sanhook --no-describe --drive 0x80 ${oneUri} || goto fail_fcp`,
      'sanboot --no-describe --drive 0x80 || goto fail_fcp',
    ]);
  });

  it('gives every drive back, tries again, and reports as for iSCSI', () => {
    const script = render(fibreChannelBoot({ extraVolumes: [fibreChannelVolume(18, [other])] }));
    expect(section(script, 'boot_fcp_1')).toContain(
      'sanhook --no-describe --drive 0x81 fcp:50:0a:09:82:90:fe:eb:a5:0012-0000-0000-0000 || goto fail_fcp',
    );
    expect(section(script, 'fail_fcp').slice(2)).toEqual([
      'sanunhook --drive 0x81 ||',
      'sanunhook --drive 0x80 ||',
      'goto ${next}',
    ]);
    expect(section(script, 'fail_fcp_retry').at(-1)).toBe('goto boot_fcp');
    expect(script).toContain('boot-report?token=t0ken&errno=${failure}&drive=${drive} ||\n');
  });

  it('tries several paths one after the other, each target once', () => {
    const source = fibreChannelBoot({ volume: fibreChannelVolume(0, [one, one, other]) });
    expect(section(render(source), 'boot_fcp_1').slice(3)).toEqual([
      `sanhook --no-describe --drive 0x80 ${oneUri} && goto hooked_1_0x80 ||`,
      'sanunhook --drive 0x80 ||',
      `sanhook --no-describe --drive 0x80 ${otherUri} || goto fail_fcp`,
      ':hooked_1_0x80',
      'sanboot --no-describe --drive 0x80 || goto fail_fcp',
    ]);
  });

  it('connects to all paths together first when the site asks for that', () => {
    const source = fibreChannelBoot({ volume: fibreChannelVolume(0, [one, other]) });
    const { content } = renderNodeScript({ source, reportUrl: null }, { ...scriptOptions, multipath: true });
    expect(section(content.reveal(), 'boot_fcp_1')[3]).toBe(
      `sanhook --no-describe --drive 0x80 ${oneUri} ${otherUri} && goto hooked_1_0x80 ||`,
    );
  });

  it('tells of paths that the firmware does not use', () => {
    const wwpns = Array.from({ length: 9 }, (_, index) => `500a09828${index}feeba5`);
    const { warnings } = renderNodeScript(
      { source: fibreChannelBoot({ volume: fibreChannelVolume(0, wwpns) }), reportUrl: null },
      scriptOptions,
    );
    expect(warnings).toEqual([expect.stringMatching(/volume-0.*first 8/)]);
  });
});

describe('the script of an ISO image', () => {
  it('boots it like a drive, tries again, and reports', () => {
    const script = render({ kind: 'iso', url: 'http://192.0.2.1/boot.iso' });
    expect(script).toContain('\ngoto boot_iso\n');
    expect(section(script, 'boot_iso')).toEqual([
      ':boot_iso',
      'inc i',
      'imgfree',
      'set keep-san 0',
      'sanboot --no-describe --drive 0x80 http://192.0.2.1/boot.iso || goto fail_iso',
      ':fail_iso',
      'set failure ${errno}',
      'sanunhook --drive 0x80 ||',
    ]);
    expect(section(script, 'retry_iso').at(-1)).toBe('goto boot_iso');
    expect(script).toContain('boot-report?token=t0ken');
  });

  it('refuses what is no URL', () => {
    expect(() => render({ kind: 'iso', url: '/boot.iso' })).toThrow('URL of the ISO image');
  });
});

describe('the script of a local disk', () => {
  it('leaves the machine to its firmware', () => {
    expect(render({ kind: 'local_disk' })).toBe('#!ipxe\n\n:boot_whole_disk\nexit 0\n');
  });
});

describe('the size of the iBFT', () => {
  it.each([
    ['bios', 1],
    [null, 1],
    ['uefi', 0],
  ] as const)('is limited for a machine whose boot mode is %s: %i warning', (bootMode, count) => {
    const source = iscsiBoot({ initiatorIqn: `iqn.2017-08.org.example:${'n'.repeat(190)}` });
    expect(renderNodeScript({ source, reportUrl: null, bootMode }, scriptOptions).warnings).toHaveLength(count);
  });
});

describe('the script that newer iPXE finds beside itself', () => {
  it('gets an address when it has none, opens the card, which one of the firmware leaves closed, and goes to the global script', () => {
    expect(renderAutoexecScript('http://192.0.2.1:8080/boot.ipxe').reveal()).toBe(`#!ipxe

isset \${ip} || dhcp ||
ifopen ||
chain --timeout 30000 http://192.0.2.1:8080/boot.ipxe && exit 0 ||
echo The boot script could not be fetched: \${errno}
prompt --timeout 30000 Press any key to reboot, or wait 30 seconds. ||
reboot
`);
  });

  it('refuses an address that iPXE would interpret', () => {
    expect(() => renderAutoexecScript('http://192.0.2.1/${x}')).toThrow(
      expect.objectContaining({ code: 'INVALID_PARAMETER' }),
    );
  });
});

describe('the global script', () => {
  it('is exactly this', () => {
    expect(renderGlobalScript().reveal()).toBe(`#!ipxe

set netid:int32 -1
:next_nic
inc netid || goto old_rom
isset \${net\${netid}/mac} || goto no_configuration
echo Looking for the configuration of \${net\${netid}/mac:hexhyp}
chain --timeout 30000 pxelinux.cfg/\${net\${netid}/mac:hexhyp} || goto next_nic
exit 0

:old_rom
chain pxelinux.cfg/\${mac:hexhyp} || goto no_configuration
exit 0

:no_configuration
echo No boot configuration was found for any network card of this machine, or it failed.
prompt --timeout 30000 Press any key to reboot, or wait 30 seconds. ||
reboot
`);
  });
});
