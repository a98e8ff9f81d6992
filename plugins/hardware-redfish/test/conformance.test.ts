import type { BootDevice } from '@ironbark/core';
import { describeManagementDriver, type ManagementFault } from '@ironbark/driver-testkit/management';
import { describePowerDriver, type PowerFault, type RefusedRecords } from '@ironbark/driver-testkit/power';
import type { NodeRecords } from '@ironbark/driver-testkit/fakes';
import { BmcSimulator, SimulatedMachine, type BmcSystem, type SystemQuirks } from '@ironbark/lab';
import { describe, it } from 'vitest';
import { setUpRedfish } from './support/drivers.ts';

const password = 'Conformance-Secret-1';

/** The plugin's drivers, and the lab's BMC with a simulated system for each node. */
async function createFixture(wanted: readonly NodeRecords[]) {
  const bmc = await BmcSimulator.start({ username: 'operator', password });
  const redfish = await setUpRedfish();
  const records = wanted.map((record) => {
    bmc.addSimulatedSystem(record.node.uuid);
    const driverInfo = {
      redfish_address: bmc.url,
      redfish_system_id: bmc.systemPath(record.node.uuid),
      redfish_username: 'operator',
      redfish_password: password,
    };
    return { ...record, node: { ...record.node, driverInfo } };
  });
  return {
    redfish,
    records,
    systemOf: ({ node }: NodeRecords): BmcSystem => {
      const system = bmc.systems.get(node.uuid);
      if (system === undefined) throw new TypeError(`There is no system for node ${node.uuid}.`);
      return system;
    },
    dispose: async () => {
      await redfish.shutDown();
      await bmc.stop();
    },
  };
}

async function inject(
  fault: PowerFault | ManagementFault,
  records: NodeRecords,
  system: BmcSystem,
): Promise<NodeRecords> {
  switch (fault) {
    case 'ignores_soft_actions':
      if (system.machine instanceof SimulatedMachine) system.machine.heedsPowerButton = false;
      return records;
    case 'ignores_all_actions':
      system.quirks.ignoresReset = true;
      return records;
    case 'ignores_settings':
      Object.assign(system.quirks, { ignoresBootOverride: true, ignoresSecureBoot: true });
      return records;
    case 'one_boot_mode':
      system.quirks.hasFixedBootMode = true;
      return records;
    case 'power_lost':
      await system.machine.powerOff();
      return records;
    case 'unreachable':
      system.faults.add({ kind: 'drop' });
      return records;
    case 'unauthorized':
      return withDriverInfo(records, 'redfish_password', 'wrong');
  }
  throw new TypeError(`The lab has no fault ${String(fault)}.`);
}

function withDriverInfo(records: NodeRecords, key: string, value: string): NodeRecords {
  const driverInfo = { ...records.node.driverInfo, [key]: value };
  return { ...records, node: { ...records.node, driverInfo } };
}

const refuses: readonly RefusedRecords[] = [
  ['redfish_address', 'https://operator@bmc/'],
  ['redfish_system_id', '/Systems/1'],
  ['redfish_username', ''],
  ['redfish_verify_ca', 'ca.pem'],
  ['redfish_auth_type', 'digest'],
].map(([field = '', value = '']) => {
  return {
    title: `${field} ${JSON.stringify(value)}`,
    field,
    change: (records) => withDriverInfo(records, field, value),
  };
});

describePowerDriver(
  { describe, it },
  {
    faults: ['ignores_soft_actions', 'ignores_all_actions', 'power_lost', 'unreachable', 'unauthorized'],
    refuses,
    async create({ records: wanted, powerStates }) {
      const { redfish, records, systemOf, dispose } = await createFixture(wanted);
      for (const [index, record] of records.entries()) {
        if (powerStates[index] === 'power on') await systemOf(record).machine.powerOn();
      }
      return {
        driver: redfish.driver('power', 'redfish'),
        records,
        observe: (record) => {
          const { machine, resets } = systemOf(record);
          return { powerState: machine.isOn ? 'power on' : 'power off', boots: resets };
        },
        inject: (fault, record) => inject(fault, record, systemOf(record)),
        dispose,
      };
    },
  },
);

const deviceOf: Readonly<Record<string, BootDevice>> = {
  Pxe: 'pxe',
  Hdd: 'disk',
  Cd: 'cdrom',
  BiosSetup: 'bios',
  UefiHttp: 'uefihttp',
  Floppy: 'floppy',
};

const machines: readonly (readonly [string, SystemQuirks])[] = [
  ['a BMC', {}],
  ['a BMC without Secure Boot that forgets the boot mode', { lacksSecureBoot: true, losesBootMode: true }],
];

describe.each(machines)('with %s', (_name, quirks) => {
  describeManagementDriver(
    { describe, it },
    {
      faults: ['ignores_settings', 'one_boot_mode', 'unreachable', 'unauthorized'],
      refuses,
      async create({ records: wanted }) {
        const { redfish, records, systemOf, dispose } = await createFixture(wanted);
        for (const record of records) Object.assign(systemOf(record).quirks, quirks);
        return {
          driver: redfish.driver('management', 'redfish'),
          records,
          observe: (record) => {
            const { boot, secureBoot } = systemOf(record);
            const { enabled, target, mode, httpBootUri } = boot;
            const isSet = enabled !== 'Disabled';
            return {
              bootDevice: isSet ? (deviceOf[target] ?? null) : null,
              persistent: isSet ? enabled === 'Continuous' : null,
              bootMode: mode === 'UEFI' ? 'uefi' : 'bios',
              httpBootUrl: httpBootUri === '' ? null : httpBootUri,
              secureBoot: secureBoot?.isEnabled ?? null,
            };
          },
          inject: (fault, record) => inject(fault, record, systemOf(record)),
          dispose,
        };
      },
    },
  );
});
