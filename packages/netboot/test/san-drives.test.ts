import { describe, expect, it } from 'vitest';
import { planSanDrives, type SanDrive } from '../src/index.ts';
import { bootVolume, chap, iscsiBoot, iscsiPath } from './sources.ts';

const oneByOne = { ibftTargets: 2, multipath: false, bootMode: null };
const together = { ibftTargets: 2, multipath: true, bootMode: null };
const paths = [0, 1, 2].map((lun) => iscsiPath({ lun }));

/** LUNs of the paths of every try. */
function lunsOf(drive: SanDrive | undefined): readonly (readonly number[])[] {
  return (drive?.tries ?? []).map((tried) => tried.map((path) => path.lun));
}

describe('planSanDrives', () => {
  it('needs no fallback for one volume', () => {
    expect(planSanDrives(iscsiBoot(), oneByOne)).toMatchObject({ fallback: null, warnings: [] });
  });

  it('takes one entry of the iBFT for a volume whose paths are tried one by one', () => {
    const source = iscsiBoot({ volume: bootVolume(0, { paths }), extraVolumes: [bootVolume(1, { paths })] });
    const { wanted, warnings } = planSanDrives(source, oneByOne);
    expect([lunsOf(wanted.boot), wanted.extras[0]?.described, warnings]).toEqual([[[0], [1], [2]], true, []]);
  });

  it('takes one entry for every path of a volume whose paths are connected together', () => {
    const twoPaths = { paths: paths.slice(0, 2) };
    const source = iscsiBoot({ volume: bootVolume(0, twoPaths), extraVolumes: [bootVolume(1)] });
    const { wanted, warnings } = planSanDrives(source, together);
    expect([lunsOf(wanted.boot), wanted.extras[0]?.described]).toEqual([[[0, 1], [0], [1]], false]);
    expect(warnings).toEqual([expect.stringContaining('volume-1')]);
  });

  it('tells of paths for which there is no entry', () => {
    const { wanted, warnings } = planSanDrives(iscsiBoot({ volume: bootVolume(0, { paths }) }), together);
    expect(lunsOf(wanted.boot)).toEqual([[0, 1], [0], [1], [2]]);
    expect(warnings).toEqual([expect.stringContaining('2 of its paths')]);
  });

  it('describes the first volumes and leaves the others to the operating system', () => {
    const source = iscsiBoot({ extraVolumes: [bootVolume(1), bootVolume(2), bootVolume(3)] });
    const { wanted, fallback } = planSanDrives(source, { ibftTargets: 3, multipath: false, bootMode: null });
    expect(wanted.extras.map((drive) => drive.described)).toEqual([true, true, false]);
    expect(fallback?.extras.map((drive) => drive.described)).toEqual([false, false, false]);
    expect(fallback?.boot).toEqual(wanted.boot);
  });

  it('uses at most eight paths of a volume', () => {
    const many = { paths: Array.from({ length: 20 }, (_, lun) => iscsiPath({ lun })) };
    const source = iscsiBoot({ volume: bootVolume(0, many), extraVolumes: [bootVolume(1, many)] });
    for (const options of [oneByOne, together]) {
      const { wanted, warnings } = planSanDrives(source, options);
      const used = [wanted.boot, ...wanted.extras].map((drive) => new Set(drive.tries.flat()).size);
      expect(used).toEqual([8, 8]);
      expect(warnings.filter((text) => text.includes('more than 8 paths'))).toHaveLength(2);
    }
  });

  it('refuses more volumes than firmware has drive numbers', () => {
    const extraVolumes = Array.from({ length: 128 }, (_, number) => bootVolume(number + 1));
    expect(() => planSanDrives(iscsiBoot({ extraVolumes }), oneByOne)).toThrow('129 iSCSI volumes');
    const { wanted } = planSanDrives(iscsiBoot({ extraVolumes: extraVolumes.slice(1) }), oneByOne);
    expect(wanted.extras.at(-1)?.drive).toBe('0xff');
  });
});

describe('the room for names and secrets in iPXE for BIOS', () => {
  /** Each text takes a byte more than its length; the others of the volume and the initiator are empty. */
  const nameOf = (bytes: number) => 'n'.repeat(bytes - 1);
  const volume = (number: number, iqn: string, secret?: string) =>
    bootVolume(number, { paths: [iscsiPath({ iqn })], chap: secret === undefined ? null : chap('', secret) });

  it.each([
    ['256 bytes in all', iscsiBoot({ initiatorIqn: nameOf(56), volume: volume(0, nameOf(100), nameOf(99)) }), []],
    [
      '257 bytes',
      iscsiBoot({ initiatorIqn: nameOf(56), volume: volume(0, nameOf(100), nameOf(100)) }),
      [/cannot boot/],
    ],
    [
      'a second volume that makes it 257',
      iscsiBoot({ initiatorIqn: nameOf(57), volume: volume(0, nameOf(100)), extraVolumes: [volume(1, nameOf(100))] }),
      [/one path of the boot volume only/],
    ],
    [
      'a second volume that makes it 256',
      iscsiBoot({ initiatorIqn: nameOf(56), volume: volume(0, nameOf(100)), extraVolumes: [volume(1, nameOf(100))] }),
      [],
    ],
  ])('is told of with %s', (_, source, expected) => {
    const { warnings } = planSanDrives(source, oneByOne);
    expect(warnings).toEqual(expected.map((words) => expect.stringMatching(words) as unknown));
  });

  it('is too small for three entries of any length', () => {
    const source = iscsiBoot({ extraVolumes: [bootVolume(1), bootVolume(2)] });
    const { warnings } = planSanDrives(source, { ibftTargets: 3, multipath: false, bootMode: null });
    expect(warnings).toEqual([expect.stringContaining('one path of the boot volume only')]);
  });

  it('says nothing of how long a secret is', () => {
    const source = iscsiBoot({ volume: bootVolume(0, { chap: chap('u', 's'.repeat(250)) }) });
    expect(planSanDrives(source, oneByOne).warnings.join(' ')).not.toMatch(/25[0-5]|[34]\d\d/);
  });
});
