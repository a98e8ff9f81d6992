import assert from 'node:assert/strict';
import { bootDevices, explain, type BootDevice } from '@ironbark/core';
import { createNodeRecords, type NodeRecords } from './fakes/records.ts';
import { abortReason } from './fakes/task.ts';
import { withBench } from './suite/bench.ts';
import type { TestRunner } from './suite/harness.ts';
import { describeBootMode, describeSecureBoot } from './suite/management-firmware.ts';
import type { ManagementBench, ManagementContext, ManagementHarness } from './suite/management-harness.ts';
import { rejected, rejectedByAbort, settled } from './suite/outcome.ts';
import { describeRecords } from './suite/records-suite.ts';

export type { Fixture, Harness, RefusedRecords, TestRunner } from './suite/harness.ts';
export type {
  ManagementFault,
  ManagementFixture,
  ManagementHarness,
  ManagementOptions,
  ObservedSettings,
} from './suite/management-harness.ts';

const anyCode = /./;

/** Registers the conformance tests of a management interface. */
export function describeManagementDriver(runner: TestRunner, harness: ManagementHarness): void {
  const context: ManagementContext = {
    runner,
    harness,
    has: (fault) => harness.faults?.includes(fault) ?? false,
    use(body) {
      const records = [0, 1].map((number) => createNodeRecords({ number }));
      return withBench('management', harness, { records }, body);
    },
  };
  runner.describe('management driver', () => {
    describeManagementRecords(context);
    describeBootDevices(context);
    describeBootMode(context);
    describeSecureBoot(context);
    describeHttpBoot(context);
    describeInterruptions(context);
  });
}

function describeManagementRecords({ runner, harness, use, has }: ManagementContext): void {
  describeRecords<ManagementBench>({
    runner,
    refuses: harness.refuses ?? [],
    use,
    observe: async (bench) => bench.fixture.observe(bench.records()),
    ...(has('unreachable') && { disconnect: (bench) => bench.inject('unreachable') }),
  });
}

function describeBootDevices({ runner: { describe, it }, use }: ManagementContext): void {
  describe('boot device', () => {
    it('names supported boot devices that the API knows, each once', () =>
      use(async (bench) => {
        const devices = await settled('supportedBootDevices', bench.driver.supportedBootDevices(bench.task()));
        assert.ok(devices.length > 0, 'no boot device is supported');
        assert.deepEqual([...new Set(devices)], [...devices]);
        assert.deepEqual(
          devices.filter((device) => !bootDevices.includes(device)),
          [],
        );
      }));

    for (const device of bootDevices) {
      it(`sets ${device} persistently and once and reads it back, or refuses it and names what it supports`, () =>
        use(async (bench) => {
          const supported = await settled('supportedBootDevices', bench.driver.supportedBootDevices(bench.task()));
          if (supported.includes(device)) await assertRoundTrip(bench, device);
          else await assertRefused(bench, device, supported);
        }));
    }

    it('setting a device twice is the same as once', () =>
      use(async (bench) => {
        const [device] = await bench.driver.supportedBootDevices(bench.task());
        assert.ok(device !== undefined);
        await settled('setBootDevice', bench.driver.setBootDevice(bench.task(), device, true));
        const once = await bench.fixture.observe(bench.records());
        await settled('setBootDevice', bench.driver.setBootDevice(bench.task(), device, true));
        assert.deepEqual(await bench.fixture.observe(bench.records()), once);
      }));

    it('keeps two machines apart that are set at the same time', () =>
      use(async (bench) => {
        const devices = await bench.driver.supportedBootDevices(bench.task());
        const wanted = [devices[0], devices.at(-1)] as [BootDevice, BootDevice];
        const calls = wanted.map((device, index) =>
          bench.driver.setBootDevice(bench.task(bench.records(index)), device, index === 0),
        );
        await settled('both settings', Promise.all(calls));
        for (const [index, bootDevice] of wanted.entries()) {
          const { bootDevice: observed, persistent } = await bench.fixture.observe(bench.records(index));
          assert.deepEqual({ observed, persistent }, { observed: bootDevice, persistent: index === 0 });
        }
      }));
  });
}

async function assertRoundTrip(bench: ManagementBench, device: BootDevice): Promise<void> {
  for (const persistent of [true, false]) {
    await settled('setBootDevice', bench.driver.setBootDevice(bench.task(), device, persistent));
    const { bootDevice, persistent: kept } = await bench.fixture.observe(bench.records());
    assert.deepEqual(
      { bootDevice, persistent: kept },
      { bootDevice: device, persistent },
      'the BMC holds another setting',
    );
    const setting = await settled('getBootDevice', bench.driver.getBootDevice(bench.task()));
    assert.deepEqual({ ...setting }, { bootDevice: device, persistent }, 'getBootDevice reports another setting');
  }
}

async function assertRefused(
  bench: ManagementBench,
  device: BootDevice,
  supported: readonly BootDevice[],
): Promise<void> {
  const before = await bench.fixture.observe(bench.records());
  const call = bench.driver.setBootDevice(bench.task(), device, true);
  const error = await rejected(`setting ${device}`, call, /^(INVALID_PARAMETER|UNSUPPORTED)$/, bench.secrets);
  const unnamed = supported.filter((name) => !explain(error).includes(name));
  assert.deepEqual(unnamed, [], `the error does not name every supported device: ${explain(error)}`);
  assert.deepEqual(await bench.fixture.observe(bench.records()), before, 'a refused setting was made');
}

function describeHttpBoot({ runner: { describe, it }, use }: ManagementContext): void {
  describe('HTTP boot', () => {
    it('hands the URL on as it is, or has no setHttpBootUrl', () =>
      use(async (bench) => {
        const url = 'http://192.0.2.1:8080/boot/node%200.efi?arch=x86_64&v=1';
        const { driver } = bench;
        await settled('setHttpBootUrl', Promise.resolve(driver.setHttpBootUrl?.(bench.task(), url)));
        const { httpBootUrl } = await bench.fixture.observe(bench.records());
        assert.equal(httpBootUrl, driver.setHttpBootUrl === undefined ? null : url);
        if (driver.setHttpBootUrl === undefined) return;
        const devices = await settled('supportedBootDevices', driver.supportedBootDevices(bench.task()));
        assert.ok(devices.includes('uefihttp'), 'the URL can be set, but uefihttp is not supported');
        await settled('setBootDevice', driver.setBootDevice(bench.task(), 'uefihttp', true));
        const { httpBootUrl: kept, bootDevice } = await bench.fixture.observe(bench.records());
        assert.deepEqual({ kept, bootDevice }, { kept: url, bootDevice: 'uefihttp' }, 'the boot device lost the URL');
      }));
  });
}

function describeInterruptions({ runner: { describe, it }, use, has }: ManagementContext): void {
  const set = async (bench: ManagementBench, records: NodeRecords, signal?: AbortSignal) => {
    const [device] = await bench.driver.supportedBootDevices(bench.task());
    assert.ok(device !== undefined);
    return bench.driver.setBootDevice(bench.task(records, signal && { signal }), device, true);
  };
  describe('interruptions', () => {
    it('does not set a device when its signal is aborted', () =>
      use(async (bench) => {
        const before = await bench.fixture.observe(bench.records());
        const reason = abortReason();
        await rejectedByAbort('setBootDevice', set(bench, bench.records(), AbortSignal.abort(reason)), reason);
        assert.deepEqual(await bench.fixture.observe(bench.records()), before, 'the setting was made');
      }));

    it('does not set the boot mode, Secure Boot or the URL of HTTP boot when its signal is aborted', () =>
      use(async (bench) => {
        const before = await bench.fixture.observe(bench.records());
        const { driver } = bench;
        const reason = abortReason();
        const task = bench.task(bench.records(), { signal: AbortSignal.abort(reason) });
        const mode = before.bootMode === 'uefi' ? 'bios' : 'uefi';
        const calls = {
          setBootMode: async () => driver.setBootMode?.(task, mode),
          setSecureBoot: async () => driver.setSecureBoot?.(task, before.secureBoot !== true),
          setHttpBootUrl: async () => driver.setHttpBootUrl?.(task, 'http://192.0.2.1/aborted.efi'),
        } as const;
        for (const [name, call] of Object.entries(calls)) {
          if (driver[name as keyof typeof calls] !== undefined) await rejectedByAbort(name, call(), reason);
        }
        assert.deepEqual(await bench.fixture.observe(bench.records()), before, 'a setting was made');
      }));

    if (has('ignores_settings')) {
      it('notices when the BMC does not keep a setting', () =>
        use(async (bench) => {
          const records = await bench.inject('ignores_settings');
          await rejected('setBootDevice', set(bench, records), anyCode, bench.secrets);
        }));

      it('notices when the BMC does not keep a boot mode or a state of Secure Boot', () =>
        use(async (bench) => {
          const { bootMode, secureBoot = null } = await bench.fixture.observe(bench.records());
          const task = bench.task(await bench.inject('ignores_settings'));
          const { driver } = bench;
          if (driver.setBootMode !== undefined && bootMode !== null) {
            const mode = bootMode === 'uefi' ? 'bios' : 'uefi';
            await rejected('setBootMode', driver.setBootMode(task, mode), anyCode, bench.secrets);
          }
          if (driver.setSecureBoot !== undefined && secureBoot !== null) {
            await rejected('setSecureBoot', driver.setSecureBoot(task, !secureBoot), anyCode, bench.secrets);
          }
        }));
    }

    for (const fault of ['unreachable', 'unauthorized'] as const) {
      if (!has(fault)) continue;
      it(`says so when the BMC is ${fault}`, () =>
        use(async (bench) => {
          const call = async () => bench.driver.getBootDevice(bench.task(await bench.inject(fault)));
          const code = fault === 'unreachable' ? /_UNREACHABLE$/ : /_UNAUTHORIZED$/;
          await rejected('getBootDevice', call(), code, bench.secrets);
        }));
    }
  });
}
