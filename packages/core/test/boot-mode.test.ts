import { expect, it } from 'vitest';
import { firmwareRequestOf, type Info } from '../src/index.ts';

function requestOf(capabilities: string, instanceInfo: Info = {}) {
  return firmwareRequestOf({ uuid: 'node-1', properties: { capabilities }, instanceInfo });
}

it.each<[string, string, Info, 'bios' | 'uefi' | null]>([
  ['nobody', '', {}, null],
  ['the node', 'boot_mode:bios', {}, 'bios'],
  ['the node, in capitals', 'boot_mode:UEFI', {}, 'uefi'],
  ['the instance', '', { capabilities: { boot_mode: 'uefi' } }, 'uefi'],
  ['the instance as Nova writes it', '', { capabilities: '{"boot_mode": "bios"}' }, 'bios'],
  ['deploy_boot_mode', '', { deploy_boot_mode: 'bios' }, 'bios'],
  ['node and instance alike', 'boot_mode:uefi', { capabilities: 'boot_mode:uefi' }, 'uefi'],
  ['Secure Boot', '', { capabilities: { secure_boot: 'true' } }, 'uefi'],
])('the boot mode is said by %s', (_who, capabilities, instanceInfo, bootMode) => {
  expect(requestOf(capabilities, instanceInfo).bootMode).toBe(bootMode);
});

it.each<[string, Info, boolean | null]>([
  ['', {}, null],
  ['secure_boot:true', {}, null],
  ['', { capabilities: { secure_boot: 'True' } }, true],
  ['secure_boot:true', { capabilities: { secure_boot: 'false' } }, false],
])('Secure Boot is the wish of the instance: node %j, instance %j', (capabilities, instanceInfo, secureBoot) => {
  expect(requestOf(capabilities, instanceInfo).secureBoot).toBe(secureBoot);
});

it.each<[string, Info, RegExp]>([
  [
    'boot_mode:bios',
    { capabilities: { boot_mode: 'uefi' } },
    /capabilities\.boot_mode is uefi, the capability boot_mode is bios/,
  ],
  ['boot_mode:bios', { deploy_boot_mode: 'uefi' }, /deploy_boot_mode is uefi/],
  ['boot_mode:bios', { capabilities: { secure_boot: 'true' } }, /secure_boot is true/],
  ['boot_mode:legacy', {}, /"legacy"/],
  ['', { capabilities: { secure_boot: 'yes' } }, /"yes"/],
  ['secure_boot:perhaps', {}, /"perhaps"/],
])('refuses the node %j with the instance %j', (capabilities, instanceInfo, words) => {
  expect(() => requestOf(capabilities, instanceInfo)).toThrow(
    expect.objectContaining({ code: 'INVALID_PARAMETER', message: expect.stringMatching(words) as string }),
  );
});
