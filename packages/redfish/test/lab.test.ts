import { readFile } from 'node:fs/promises';
import { Secret } from '@ironbark/core';
import { certificatePath, keyPath } from '@ironbark/lab/fake-service';
import { BmcSimulator, SimulatedMachine, type BmcOptions, type BmcRequest, type BmcSystem } from '@ironbark/lab';
import { describe, expect, it } from 'vitest';
import {
  chooseSlot,
  findSystem,
  type ComputerSystem,
  type RedfishConnection,
  type RedfishPatience,
} from '../src/index.ts';
import { createClient, password, soon, username } from './support/fake-bmc.ts';

interface Bench extends AsyncDisposable {
  readonly bmc: BmcSimulator;
  readonly simulated: BmcSystem;
  readonly system: ComputerSystem;
  readonly requests: readonly BmcRequest[];
}

/** A client of the lab's BMC, which has one simulated system. */
async function start(
  options: BmcOptions = {},
  overrides: Partial<RedfishConnection> = {},
  patience: Partial<RedfishPatience> = {},
): Promise<Bench> {
  const bmc = await BmcSimulator.start({ username, password, ...options });
  const simulated = bmc.addSimulatedSystem('1');
  const requests: BmcRequest[] = [];
  bmc.events.on('request', (request) => requests.push(request));
  const client = createClient({ address: bmc.url }, overrides, { patience });
  return {
    bmc,
    simulated,
    requests,
    system: await findSystem(client, null, soon()),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await bmc.stop();
    },
  };
}

/** A machine whose UEFI HTTP boot takes its URL from DHCP. */
class DhcpMachine extends SimulatedMachine {
  override get takesHttpBootUrl(): boolean {
    return false;
  }
}

function count(requests: readonly BmcRequest[], method: string, path: RegExp): number {
  return requests.filter((request) => request.method === method && path.test(request.path)).length;
}

describe('the BMC of the lab', () => {
  it('switches its system', async () => {
    await using bench = await start();
    expect(await bench.system.powerState(soon())).toBe('Off');
    await bench.system.reset(['On'], soon());
    expect(bench.simulated.machine.isOn).toBe(true);
    expect(await bench.system.powerState(soon())).toBe('On');
  });

  it.each(['Once', 'Continuous', 'Disabled'] as const)('keeps a boot source: %s', async (enabled) => {
    await using bench = await start();
    await bench.system.changeBoot({ target: 'Pxe', enabled, mode: 'Legacy' }, soon());
    expect(bench.simulated.boot).toMatchObject({ target: 'Pxe', enabled, mode: 'Legacy' });
  });

  it('keeps the address of UEFI HTTP boot', async () => {
    await using bench = await start();
    await bench.system.changeBoot({ httpBootUri: 'http://192.0.2.1/boot.efi' }, soon());
    expect(bench.simulated.boot.httpBootUri).toBe('http://192.0.2.1/boot.efi');
  });

  it('turns Secure Boot on and off', async () => {
    await using bench = await start();
    expect(await bench.system.secureBoot(soon())).toBe(false);
    await bench.system.changeSecureBoot(true, soon());
    expect(bench.simulated.secureBoot?.isEnabled).toBe(true);
    expect(await bench.system.secureBoot(soon())).toBe(true);
    await bench.system.changeSecureBoot(false, soon());
    expect(bench.simulated.secureBoot?.isEnabled).toBe(false);
  });

  it('is not asked to set Secure Boot as it is', async () => {
    await using bench = await start();
    await bench.system.changeSecureBoot(false, soon());
    expect(count(bench.requests, 'PATCH', /./)).toBe(0);
  });

  it('takes Secure Boot on the condition of its entity tag', async () => {
    await using bench = await start();
    bench.simulated.quirks.requiresEtag = true;
    await bench.system.changeSecureBoot(true, soon());
    expect(count(bench.requests, 'PATCH', /SecureBoot$/)).toBe(1);
  });

  it('takes changes on the condition of its weak entity tag', async () => {
    await using bench = await start();
    bench.simulated.quirks.requiresEtag = true;
    await bench.system.changeBoot({ target: 'Pxe' }, soon());
    expect(count(bench.requests, 'PATCH', /Systems/)).toBe(1);
  });

  it('holds an image in the slot for its kind', async () => {
    await using bench = await start();
    const slot = await chooseSlot(await bench.system.virtualMedia(soon()), ['CD'], soon());
    await slot?.insert({ url: 'http://192.0.2.1/boot.iso' }, soon());
    expect(bench.simulated.media('Cd')).toEqual({ image: 'http://192.0.2.1/boot.iso', writeProtected: true });
    await slot?.insert({ url: 'http://192.0.2.1/other.iso' }, soon());
    expect(bench.simulated.media('Cd')?.image).toBe('http://192.0.2.1/other.iso');
    await slot?.eject(soon());
    expect(bench.simulated.media('Cd')).toBeUndefined();
  });

  it('names its manager', async () => {
    await using bench = await start();
    expect(await bench.system.manager(soon())).toMatchObject({ path: '/redfish/v1/Managers/1' });
  });

  it('keeps no session after the client is closed', async () => {
    const bmc = await BmcSimulator.start({ username, password });
    bmc.addSimulatedSystem('1');
    const client = createClient({ address: bmc.url });
    await findSystem(client, null, soon());
    expect(bmc.sessions.list()).toHaveLength(1);
    await client.close();
    expect(bmc.sessions.list()).toHaveLength(0);
    await bmc.stop();
  });
});

describe('a BMC with faults', () => {
  it('that restarts and forgets its sessions goes on to serve the client', async () => {
    await using bench = await start();
    bench.bmc.sessions.clear();
    expect(await bench.system.powerState(soon())).toBe('Off');
    expect(count(bench.requests, 'POST', /Sessions$/)).toBe(2);
  });

  it('that has no session left is used with basic authentication', async () => {
    await using bench = await start({ maxSessions: 0 });
    expect(await bench.system.powerState(soon())).toBe('Off');
    expect(bench.bmc.sessions.list()).toHaveLength(0);
  });

  it('that refuses the password is an error without the password', async () => {
    const credentials = { username, password: Secret.of('wrong-password') };
    const error = { code: 'BMC_UNAUTHORIZED', message: expect.not.stringContaining('wrong-password') };
    await expect(start({}, { credentials })).rejects.toMatchObject(error);
  });

  it('whose answer to a change is lost has made it, and is not asked in vain', async () => {
    await using bench = await start();
    bench.simulated.faults.add({ kind: 'drop', method: 'PATCH', afterEffect: true, times: 1 });
    await bench.system.changeBoot({ target: 'Pxe', enabled: 'Continuous' }, soon());
    expect(bench.simulated.boot).toMatchObject({ target: 'Pxe', enabled: 'Continuous' });
  });

  it('that is not ready for a while is asked again', async () => {
    await using bench = await start();
    bench.simulated.faults.add({ kind: 'status', status: 503, times: 2 });
    expect(await bench.system.powerState(soon())).toBe('Off');
  });

  it('that is too slow is an error that says so', async () => {
    await using bench = await start({}, {}, { requestTimeoutMs: 300 });
    bench.simulated.faults.add({ kind: 'delay', milliseconds: 60_000 });
    await expect(bench.system.powerState(soon())).rejects.toMatchObject({
      code: 'BMC_UNREACHABLE',
      message: expect.stringContaining('did not answer in time'),
    });
  });

  it('that forgets a boot source is found out', async () => {
    await using bench = await start();
    bench.simulated.quirks.ignoresBootOverride = true;
    await expect(bench.system.changeBoot({ target: 'Pxe' }, soon())).rejects.toMatchObject({ code: 'BMC_FAILURE' });
  });

  it('that takes a boot mode only beside a target gets it so, and the target stays', async () => {
    await using bench = await start();
    await bench.system.changeBoot({ target: 'Pxe', enabled: 'Continuous' }, soon());
    bench.simulated.quirks.needsTargetForBootMode = true;
    await bench.system.changeBootMode('Legacy', soon());
    expect(bench.simulated.boot).toMatchObject({ target: 'Pxe', enabled: 'Continuous', mode: 'Legacy' });
  });

  it('that goes back to legacy boot with a new boot source is told the boot mode again', async () => {
    await using bench = await start();
    bench.simulated.quirks.losesBootMode = true;
    await bench.system.changeBoot({ target: 'Pxe', enabled: 'Continuous' }, soon());
    expect(bench.simulated.boot).toMatchObject({ target: 'Pxe', enabled: 'Continuous', mode: 'UEFI' });
  });

  it('that changes the boot mode at the next start is believed', async () => {
    await using bench = await start({}, {}, { settleTimeoutMs: 60_000 });
    bench.simulated.quirks.delaysBootMode = true;
    await bench.system.changeBootMode('Legacy', soon());
    await bench.system.changeBoot({ target: 'Pxe', enabled: 'Continuous' }, soon());
    await bench.system.reset(['On'], soon());
    expect(bench.simulated.lastBoot).toMatchObject({ target: 'Pxe', mode: 'Legacy' });
  });

  it('that has a fixed boot mode is content with it, and else says what to change', async () => {
    await using bench = await start();
    bench.simulated.quirks.hasFixedBootMode = true;
    await bench.system.changeBootMode('UEFI', soon());
    await expect(bench.system.changeBootMode('Legacy', soon())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      message: expect.stringMatching(/boot mode Legacy \(the machine boots in UEFI mode\).* read-only property/),
      hint: expect.stringMatching(/attribute BootMode, now Uefi\), or ask for boot_mode uefi/),
    });
    expect(count(bench.requests, 'PATCH', /./)).toBe(1);
  });

  it('of a machine with one boot mode is content with it, and else says what to change', async () => {
    await using bench = await start();
    await bench.bmc.addMachine('vm', new SimulatedMachine(['52:54:00:00:00:01'], 'bios'));
    const system = await findSystem(bench.system.client, 'vm', soon());
    await system.changeBootMode('Legacy', soon());
    await expect(system.changeBootMode('UEFI', soon())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      message: expect.stringContaining('the machine boots in Legacy mode only'),
    });
    await expect(system.changeBoot({ httpBootUri: 'http://192.0.2.1/boot.efi' }, soon())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      hint: expect.stringContaining('DHCP'),
    });
    expect(count(bench.requests, 'PATCH', /./)).toBe(0);
  });

  it('of a machine that takes the URL of HTTP boot from DHCP says so', async () => {
    await using bench = await start();
    await bench.bmc.addMachine('vm', new DhcpMachine(['52:54:00:00:00:01'], 'uefi'));
    const system = await findSystem(bench.system.client, 'vm', soon());
    await expect(system.changeBoot({ httpBootUri: 'http://192.0.2.1/boot.efi' }, soon())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      message: expect.stringContaining('HttpBootUri'),
      hint: expect.stringContaining('DHCP'),
    });
  });

  it('of a machine without Secure Boot knows of none, and cannot set it', async () => {
    await using bench = await start();
    bench.simulated.quirks.lacksSecureBoot = true;
    expect(await bench.system.secureBoot(soon())).toBeNull();
    await expect(bench.system.changeSecureBoot(true, soon())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      message: expect.stringContaining('does not support Secure Boot'),
      hint: expect.stringContaining('secure_boot'),
    });
  });

  it('that turns Secure Boot on at the next start is believed', async () => {
    await using bench = await start({}, {}, { settleTimeoutMs: 60_000 });
    bench.simulated.quirks.delaysSecureBoot = true;
    await bench.system.changeSecureBoot(true, soon());
    await bench.system.reset(['On'], soon());
    expect(await bench.system.secureBoot(soon())).toBe(true);
  });

  it('that forgets Secure Boot is found out', async () => {
    await using bench = await start();
    bench.simulated.quirks.ignoresSecureBoot = true;
    await expect(bench.system.changeSecureBoot(true, soon())).rejects.toMatchObject({
      code: 'BMC_FAILURE',
      message: expect.stringContaining('Secure Boot on'),
    });
  });

  it('that sets no Secure Boot while the machine is on says so', async () => {
    await using bench = await start();
    bench.simulated.quirks.locksSecureBootWhileOn = true;
    await bench.system.reset(['On'], soon());
    await expect(bench.system.changeSecureBoot(true, soon())).rejects.toMatchObject({
      code: 'BMC_FAILURE',
      message: expect.stringContaining('in use'),
    });
  });

  it('that claims to have an image without having one is found out', async () => {
    await using bench = await start();
    bench.simulated.quirks.ignoresInsertMedia = true;
    const slot = await chooseSlot(await bench.system.virtualMedia(soon()), ['CD'], soon());
    const insert = slot?.insert({ url: 'http://192.0.2.1/boot.iso' }, soon());
    await expect(insert).rejects.toMatchObject({ code: 'BMC_FAILURE' });
  });
});

describe('TLS of the lab', () => {
  it('is accepted with its certificate and refused without', async () => {
    const certificate = {
      key: await readFile(keyPath, 'utf8'),
      certificate: await readFile(certificatePath, 'utf8'),
      caFile: certificatePath,
    };
    await using bench = await start({ certificate }, { verifyCa: certificatePath });
    expect(await bench.system.powerState(soon())).toBe('Off');
    await using stranger = createClient({ address: bench.bmc.url });
    await expect(findSystem(stranger, null, soon())).rejects.toMatchObject({ code: 'BMC_UNREACHABLE' });
  });
});
