import { describe, expect, it } from 'vitest';
import { setUpRedfish, taskWith } from './support/drivers.ts';
import { FakeMachine, type MachineBehaviour } from './support/fake-machine.ts';

function bootOf(targets?: readonly string[]): Record<string, unknown> {
  return {
    BootSourceOverrideTarget: 'None',
    BootSourceOverrideEnabled: 'Disabled',
    BootSourceOverrideMode: 'UEFI',
    ...(targets === undefined ? {} : { 'BootSourceOverrideTarget@Redfish.AllowableValues': targets }),
  };
}

async function manage(behaviour: MachineBehaviour) {
  const machine = await FakeMachine.start(behaviour);
  const redfish = await setUpRedfish();
  return {
    machine,
    driver: redfish.driver('management', 'redfish'),
    task: taskWith({ redfish_address: machine.address }),
    async [Symbol.asyncDispose]() {
      await redfish.shutDown();
      await machine[Symbol.asyncDispose]();
    },
  };
}

describe('supported boot devices', () => {
  it.each([
    [
      ['None', 'Pxe', 'Hdd', 'UefiShell', 'UefiHttp'],
      ['pxe', 'disk', 'uefihttp'],
    ],
    [
      ['Pxe', 'Cd', 'BiosSetup', 'Floppy'],
      ['pxe', 'cdrom', 'bios', 'floppy'],
    ],
    [
      ['Pxe', 'UsbCd'],
      ['pxe', 'cdrom'],
    ],
    [undefined, ['pxe', 'disk', 'cdrom', 'bios']],
  ])('of a BMC that allows %j are %j', async (targets, devices) => {
    await using setUp = await manage({ boot: bootOf(targets) });
    expect(await setUp.driver.supportedBootDevices(setUp.task)).toEqual(devices);
  });
});

describe('the boot device', () => {
  it.each([
    ['Pxe', 'Continuous', { bootDevice: 'pxe', persistent: true }],
    ['Hdd', 'Once', { bootDevice: 'disk', persistent: false }],
    ['Pxe', 'Disabled', { bootDevice: null, persistent: null }],
    ['None', 'Continuous', { bootDevice: null, persistent: null }],
    ['UefiTarget', 'Once', { bootDevice: null, persistent: false }],
    ['Pxe', null, { bootDevice: 'pxe', persistent: null }],
  ])('is read from %s, %s', async (target, enabled, expected) => {
    const boot = { BootSourceOverrideTarget: target, BootSourceOverrideEnabled: enabled };
    await using setUp = await manage({ boot });
    expect(await setUp.driver.getBootDevice(setUp.task)).toEqual(expected);
  });

  it('is refused with the devices that the BMC offers', async () => {
    await using setUp = await manage({ boot: bootOf(['Pxe', 'Hdd']) });
    await expect(setUp.driver.setBootDevice(setUp.task, 'cdrom', false)).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      hint: 'It offers: pxe, disk.',
    });
    expect(setUp.machine.patches).toEqual([]);
  });

  it('cdrom of a Supermicro machine is its own name for virtual CDs, with the boot mode', async () => {
    const boot = bootOf(['Pxe', 'Cd', 'UsbCd']);
    await using setUp = await manage({ boot, manufacturer: 'Supermicro' });
    await setUp.driver.setBootDevice(setUp.task, 'cdrom', false);
    expect(setUp.machine.patches).toEqual([
      {
        Boot: { BootSourceOverrideTarget: 'UsbCd', BootSourceOverrideEnabled: 'Once', BootSourceOverrideMode: 'UEFI' },
      },
    ]);
  });
});

describe('the boot mode', () => {
  it.each([
    ['UEFI', 'uefi'],
    ['Legacy', 'bios'],
    [null, null],
  ])('%s is "%s"', async (mode, expected) => {
    await using setUp = await manage({ boot: { BootSourceOverrideMode: mode } });
    expect(await setUp.driver.getBootMode?.(setUp.task)).toBe(expected);
  });
});

describe('the HTTP boot URL', () => {
  it('stands beside the boot device uefihttp, and beside no other', async () => {
    const boot = bootOf(['Pxe', 'UefiHttp']);
    await using setUp = await manage({ boot });
    await setUp.driver.setHttpBootUrl?.(setUp.task, 'http://192.0.2.1/boot.efi');
    await setUp.driver.setBootDevice(setUp.task, 'uefihttp', true);
    await setUp.driver.setBootDevice(setUp.task, 'pxe', true);
    expect(setUp.machine.patches).toEqual([
      { Boot: { HttpBootUri: 'http://192.0.2.1/boot.efi' } },
      {
        Boot: {
          BootSourceOverrideTarget: 'UefiHttp',
          BootSourceOverrideEnabled: 'Continuous',
          HttpBootUri: 'http://192.0.2.1/boot.efi',
        },
      },
      { Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Continuous' } },
    ]);
  });

  it.each(['ftp://192.0.2.1/x', 'x', ''])('%j is refused', async (url) => {
    await using setUp = await manage({ boot: bootOf(['UefiHttp']) });
    await expect(setUp.driver.setHttpBootUrl?.(setUp.task, url)).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });
});

describe('the search for the system', () => {
  it('is not repeated', async () => {
    await using setUp = await manage({ boot: bootOf() });
    await setUp.driver.getBootDevice(setUp.task);
    await setUp.driver.getBootDevice(setUp.task);
    expect(setUp.machine.requests.filter((request) => request === 'GET /redfish/v1/Systems')).toHaveLength(1);
  });

  it('is repeated when the system is not there any more', async () => {
    await using setUp = await manage({ boot: bootOf() });
    await setUp.driver.getBootDevice(setUp.task);
    setUp.machine.lookStatus = 404;
    await expect(setUp.driver.getBootDevice(setUp.task)).rejects.toMatchObject({ code: 'BMC_UNSUPPORTED' });
    setUp.machine.lookStatus = 200;
    await setUp.driver.getBootDevice(setUp.task);
    expect(setUp.machine.requests.filter((request) => request === 'GET /redfish/v1/Systems')).toHaveLength(2);
  });
});
