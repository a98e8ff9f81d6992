import assert from 'node:assert/strict';
import type { ManagementContext } from './management-harness.ts';
import { rejected, settled } from './outcome.ts';

const anyCode = /./;

/** Tests of the boot mode. */
export function describeBootMode({ runner: { describe, it }, use, has }: ManagementContext): void {
  describe('boot mode', () => {
    for (const mode of ['bios', 'uefi'] as const) {
      it(`sets ${mode} and reads it back, or has no setBootMode`, () =>
        use(async (bench) => {
          const { driver } = bench;
          if (driver.setBootMode === undefined) {
            const reported = await settled('getBootMode', Promise.resolve(driver.getBootMode?.(bench.task()) ?? null));
            const { bootMode } = await bench.fixture.observe(bench.records());
            assert.ok(
              reported === null || reported === bootMode,
              `getBootMode says ${reported}, the machine ${bootMode}`,
            );
            return;
          }
          assert.ok(driver.getBootMode !== undefined, 'setBootMode without getBootMode cannot be checked');
          const neighbour = await bench.fixture.observe(bench.records(1));
          await settled('setBootMode', driver.setBootMode(bench.task(), mode));
          assert.equal((await bench.fixture.observe(bench.records())).bootMode, mode);
          assert.equal(await settled('getBootMode', driver.getBootMode(bench.task())), mode);
          assert.deepEqual(await bench.fixture.observe(bench.records(1)), neighbour, 'another machine was changed');
        }));
    }

    it('leaves the boot device alone when the boot mode is set', () =>
      use(async (bench) => {
        const [device] = await bench.driver.supportedBootDevices(bench.task());
        assert.ok(device !== undefined);
        await settled('setBootDevice', bench.driver.setBootDevice(bench.task(), device, true));
        await settled('setBootMode', Promise.resolve(bench.driver.setBootMode?.(bench.task(), 'uefi')));
        assert.equal((await bench.fixture.observe(bench.records())).bootDevice, device);
      }));

    for (const mode of ['bios', 'uefi'] as const) {
      it(`stays ${mode} when the boot device is set`, () =>
        use(async (bench) => {
          const { driver } = bench;
          if (driver.setBootMode === undefined) return;
          const [device] = await driver.supportedBootDevices(bench.task());
          assert.ok(device !== undefined);
          await settled('setBootMode', driver.setBootMode(bench.task(), mode));
          await settled('setBootDevice', driver.setBootDevice(bench.task(), device, true));
          assert.equal((await bench.fixture.observe(bench.records())).bootMode, mode);
        }));
    }

    if (!has('one_boot_mode')) return;
    it('of a machine that has one only is accepted, and any other is refused', () =>
      use(async (bench) => {
        const records = await bench.inject('one_boot_mode');
        const { driver } = bench;
        if (driver.setBootMode === undefined) return;
        const { bootMode } = await bench.fixture.observe(records);
        assert.ok(bootMode !== null, 'the machine has no boot mode');
        await settled('setBootMode', driver.setBootMode(bench.task(records), bootMode));
        const other = driver.setBootMode(bench.task(records), bootMode === 'uefi' ? 'bios' : 'uefi');
        await rejected('setBootMode', other, anyCode, bench.secrets);
        assert.equal((await bench.fixture.observe(records)).bootMode, bootMode);
      }));
  });
}

/** Tests of UEFI Secure Boot. */
export function describeSecureBoot({ runner: { describe, it }, use }: ManagementContext): void {
  describe('Secure Boot', () => {
    it('is turned on and off and read back, or cannot be set', () =>
      use(async (bench) => {
        const { driver } = bench;
        const { secureBoot = null } = await bench.fixture.observe(bench.records());
        const reported = await settled('getSecureBoot', Promise.resolve(driver.getSecureBoot?.(bench.task()) ?? null));
        if (driver.setSecureBoot === undefined) {
          const isTrue = reported === null || reported === secureBoot;
          assert.ok(isTrue, `getSecureBoot says ${reported}, the machine ${secureBoot}`);
          return;
        }
        assert.ok(driver.getSecureBoot !== undefined, 'setSecureBoot without getSecureBoot cannot be checked');
        assert.equal(reported, secureBoot);
        if (secureBoot === null) {
          await rejected('setSecureBoot', driver.setSecureBoot(bench.task(), true), anyCode, bench.secrets);
          return;
        }
        const neighbour = await bench.fixture.observe(bench.records(1));
        for (const enabled of [true, true, false]) {
          await settled('setSecureBoot', driver.setSecureBoot(bench.task(), enabled));
          assert.equal((await bench.fixture.observe(bench.records())).secureBoot, enabled);
          assert.equal(await settled('getSecureBoot', driver.getSecureBoot(bench.task())), enabled);
          assert.deepEqual(await bench.fixture.observe(bench.records(1)), neighbour, 'another machine was changed');
        }
      }));

    it('leaves the boot device and the boot mode alone', () =>
      use(async (bench) => {
        const { secureBoot: before = null } = await bench.fixture.observe(bench.records());
        if (bench.driver.setSecureBoot === undefined || before === null) return;
        const [device] = await bench.driver.supportedBootDevices(bench.task());
        assert.ok(device !== undefined);
        await settled('setBootDevice', bench.driver.setBootDevice(bench.task(), device, true));
        const { secureBoot: _old, ...others } = await bench.fixture.observe(bench.records());
        await settled('setSecureBoot', bench.driver.setSecureBoot(bench.task(), !before));
        const { secureBoot: _new, ...left } = await bench.fixture.observe(bench.records());
        assert.deepEqual(left, others);
      }));
  });
}
