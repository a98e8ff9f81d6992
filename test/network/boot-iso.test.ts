import { pathToFileURL } from 'node:url';
import { defaultCacheDirectory, guestFiles } from '@ironbark/lab';
import { expect, it, onTestFinished } from 'vitest';
import { EnrolledMachine } from '../end-to-end/enrolled-machine.ts';
import { startSegment } from './segment.ts';

it('a UEFI machine runs from an ISO image that iPXE reads over the network', async () => {
  const { iso } = await guestFiles(defaultCacheDirectory());
  const { network } = await startSegment();
  const machine = await EnrolledMachine.start({ network, firmware: 'uefi' });
  onTestFinished(() => machine.stop());
  await machine.set(
    ['--deploy-interface', 'ramdisk', '--property', 'capabilities=boot_mode:uefi'],
    ['--instance-info', `boot_iso=${pathToFileURL(iso).href}`],
  );
  expect(await machine.deployUntil(/IRONBARK-GUEST (?:ISO-OK|FAIL)/)).toContain('ISO-OK');
  expect(await machine.show()).toMatchObject({
    last_error: null,
    boot_mode: 'uefi',
    instance_info: { boot_option: 'ramdisk' },
  });
  expect((await machine.release()).left).toEqual([]);
});
