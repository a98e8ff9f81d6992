import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBoot, explain, isIronbarkError, type BootChoice, type BootSituation, type Info } from '../src/index.ts';
import { situationOf, situationsOf } from './boot-situations.ts';
import { bootTable } from './boot-table.ts';

function attempt(situation: BootSituation): BootChoice | Error {
  try {
    return chooseBoot(situation);
  } catch (error) {
    return error as Error;
  }
}

describe('what boots', () => {
  it.each(bootTable)('$asks; $capabilities; $storage / $boot / $deploy: $boots ($says)', (row) => {
    for (const situation of situationsOf(row)) {
      const { storage, boot, deploy } = situation;
      const outcome = attempt(situation);
      const found =
        outcome instanceof Error
          ? { boots: 'refused', says: explain(outcome).includes(row.says) ? row.says : explain(outcome) }
          : { boots: outcome.kind, says: outcome.option };
      expect(found, `${storage.name} / ${boot.name} / ${deploy.name}`).toEqual({ boots: row.boots, says: row.says });
    }
  });
});

/** Every phrase of the table, in any combination that fits into one record. */
const anySituation = fc
  .record({
    asks: fc.subarray([
      'image_source',
      'kernel',
      'nfs_root',
      'boot_iso',
      'no connector',
      'Secure Boot',
      'machine in BIOS mode',
    ]),
    volume: fc.constantFrom('', 'iSCSI volume', 'FC volume', 'NFS volume'),
    option: fc.constantFrom(
      '',
      'boot_option local',
      'boot_option netboot',
      'boot_option ramdisk',
      'prefers local',
      'prefers netboot',
      'prefers ramdisk',
    ),
    mode: fc.constantFrom('', 'BIOS mode', 'UEFI mode'),
    capabilities: fc.subarray(['iscsi_boot', 'fiberchannel_boot', 'fibre_channel_boot', 'hba_boot', 'nfs_boot']),
    storage: fc.constantFrom('noop', 'external', 'cinder'),
    boot: fc.constantFrom('ipxe', 'http-ipxe', 'pxe', 'none'),
    deploy: fc.constantFrom('volume', 'ramdisk', 'direct'),
  })
  .map(({ asks, volume, option, mode, capabilities, ...names }) => {
    return situationOf([...asks, volume, option, mode].filter(Boolean), capabilities.join(' ') || '-', names);
  });

it.each(['nfs_root', 'boot_iso'])('an empty %s asks for nothing', (key) => {
  const plain = situationOf(['iSCSI volume'], 'iscsi_boot', { storage: 'cinder', boot: 'ipxe', deploy: 'volume' });
  const situation = { ...plain, node: { ...plain.node, instanceInfo: { [key]: '' } } };
  expect(chooseBoot(situation).kind).toBe('iscsi');
});

describe('the command that adds a capability', () => {
  const hintFor = (capabilities: Info[string]): string => {
    const plain = situationOf(['iSCSI volume'], '-', { storage: 'cinder', boot: 'ipxe', deploy: 'volume' });
    const outcome = attempt({ ...plain, node: { ...plain.node, properties: { capabilities } } });
    return (outcome as { hint?: string }).hint ?? '';
  };

  it.each<[Info[string], string]>([
    ['boot_mode:uefi', 'boot_mode:uefi,iscsi_boot:True'],
    ['iscsi_boot:False,boot_mode:uefi', 'iscsi_boot:True,boot_mode:uefi'],
    [{ boot_mode: 'uefi' }, 'boot_mode:uefi,iscsi_boot:True'],
    ['', 'iscsi_boot:True'],
  ])('keeps %j', (capabilities, expected) => {
    expect(hintFor(capabilities)).toContain(`--property capabilities=${expected} `);
  });

  it.each(['a:$(reboot)', 'a:b c', "a:';x", 'a:b:c'])('is left out where it could not hold %j', (capabilities) => {
    expect(hintFor(capabilities)).toMatch(/Add "iscsi_boot:True" .*keeping those that are there\.$/);
  });
});

it('is decided as the documentation says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/network-boot.md'), 'utf8');
  const documented = page.split('\n').map(cellsOf);
  const expected = bootTable.map(({ asks, capabilities, storage, boot, deploy, boots, says }) => {
    const names = capabilities === '-' ? '' : capabilities.replaceAll(' ', ', ');
    const isRefused = boots === 'refused';
    return [asks, names, storage, boot, deploy, isRefused ? '**refused**' : boots, isRefused ? `"${says}"` : says];
  });
  expect(documented).toEqual(expect.arrayContaining(expected));
});

function cellsOf(line: string): readonly string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe('in every situation', () => {
  it('there is a choice, or a refusal that says what to change', () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        const outcome = attempt(situation);
        if (!(outcome instanceof Error)) return;
        expect(isIronbarkError(outcome, 'INVALID_PARAMETER') || isIronbarkError(outcome, 'MISSING_PARAMETER')).toBe(
          true,
        );
        expect((outcome as { hint?: string }).hint ?? '').not.toBe('');
      }),
      { numRuns: 3000 },
    );
  });

  it('nothing boots that the boot interface did not declare, and nothing is written where the system is elsewhere', () => {
    const tags = {
      iscsi: 'iscsi_volume_boot',
      fibre_channel: 'fibre_channel_volume_boot',
      nfs: 'nfs_volume_boot',
      ramdisk: 'ramdisk_boot',
      iso: 'iso_boot',
    } as const;
    fc.assert(
      fc.property(anySituation, (situation) => {
        const choice = attempt(situation);
        if (choice instanceof Error) return;
        const needed = Object.entries(tags).flatMap(([kind, tag]) => (kind === choice.kind ? [tag] : []));
        expect(situation.boot.capabilities).toEqual(expect.arrayContaining(needed));
        expect(choice.writesImage && choice.kind !== 'local_disk').toBe(false);
        expect(choice.volumeTarget !== null).toBe(['iscsi', 'fibre_channel', 'hba'].includes(choice.kind));
      }),
      { numRuns: 3000 },
    );
  });

  it('asking again after the derived boot option was stored gives the same choice', () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        const choice = attempt(situation);
        if (choice instanceof Error || 'boot_option' in situation.node.instanceInfo) return;
        const { node } = situation;
        const stored = {
          ...node,
          instanceInfo: { ...node.instanceInfo, boot_option: choice.option },
          driverInternalInfo: { derived_boot_option: choice.option },
        };
        expect(chooseBoot({ ...situation, node: stored })).toEqual(choice);
      }),
      { numRuns: 2000 },
    );
  });
});
