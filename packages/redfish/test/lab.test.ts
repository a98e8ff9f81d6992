import { readFile } from 'node:fs/promises';
import { Secret } from '@ironbark/core';
import { certificatePath, keyPath } from '@ironbark/lab/fake-service';
import { BmcSimulator, type BmcOptions, type BmcRequest, type BmcSystem } from '@ironbark/lab';
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
