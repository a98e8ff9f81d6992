import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { arraySite, deployedNode, nodeOf, waiting } from './array-site.ts';
import { call, ironbark, serve, start } from './ironbark.ts';

// Processes are started; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const stranger = 'ffffffff-0000-4000-8000-000000000000';

function leak(site: string, nodeUuid: string, volumeId: string): void {
  mkdirSync(join(site, 'array/exports', nodeUuid), { recursive: true });
  writeFileSync(join(site, 'array/exports', nodeUuid, volumeId), '');
}

async function powerOff(site: string, url: string, uuid: string): Promise<void> {
  expect((await call(url, 'PUT', `/v1/nodes/${uuid}/states/power`, { target: 'power off' })).status).toBe(202);
  await vi.waitFor(async () => {
    expect(exportsOf(site, uuid)).toEqual([]);
    expect((await nodeOf(url, uuid))['reservation']).toBeNull();
  }, waiting);
}

const exportsOf = (site: string, nodeUuid: string) => readdirSync(join(site, 'array/exports', nodeUuid)).sort();

/** Begins a comparison that waits in the array. */
async function heldReconcile(site: string) {
  writeFileSync(join(site, 'array/hold'), '');
  const child = start(['reconcile', '--repair', '--site', site]);
  await vi.waitFor(() => expect(existsSync(join(site, 'array/comparing'))).toBe(true), waiting);
  return { child, release: () => rmSync(join(site, 'array/hold')) };
}

describe('ironbark reconcile beside a running conductor', () => {
  it('tells what is left and exits with 3; with --repair it releases that and exits with 0', async () => {
    const site = arraySite();
    const { url } = await serve(site);
    const uuid = await deployedNode(url, 'n-1');
    await powerOff(site, url, uuid);
    leak(site, uuid, 'left-over');
    const report = await ironbark(['reconcile', '--site', site]);
    expect([report.exitCode, report.stderr]).toEqual([3, '']);
    expect(report.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NODE', 'KIND', 'VOLUME', 'ATTACHMENT', 'OURS', 'STATE', 'FINDING'],
      ['n-1', 'leaked', 'left-over', '-', 'yes', 'left', 'The array exports left-over and should not.'],
      [''],
      ['Compared 1 of 1 nodes: 1 findings, 0 repaired, 1 left.'],
    ]);
    expect(exportsOf(site, uuid)).toEqual(['left-over']);
    const repair = await ironbark(['reconcile', 'n-1', '--repair', '--site', site]);
    expect(repair).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 findings, 1 repaired, 0 left.') });
    expect(exportsOf(site, uuid)).toEqual([]);
    expect((await ironbark(['reconcile', '--site', site])).exitCode).toBe(0);
    expect((await call(url, 'PUT', `/v1/nodes/${uuid}/states/power`, { target: 'power on' })).status).toBe(202);
    await vi.waitFor(() => expect(exportsOf(site, uuid)).toEqual(['boot-of-n-1']), waiting);
  });

  it('releases nothing that a machine may be using, and says so', async () => {
    const site = arraySite();
    const { url } = await serve(site);
    const { body } = await call(url, 'POST', '/v1/nodes', { driver: 'array', name: 'n-1' });
    const uuid = String(body['uuid']);
    leak(site, uuid, 'lost');
    writeFileSync(join(site, `array/power-${uuid}`), 'power on');
    const { exitCode, stdout } = await ironbark(['reconcile', 'n-1', '--repair', '--site', site]);
    expect([exitCode, stdout]).toEqual([
      3,
      expect.stringMatching(/^n-1: Nothing was released.*power it off first\.$/m),
    ]);
    expect(exportsOf(site, uuid)).toEqual(['lost']);
  });

  it('keeps the conductor off the node that it works on, and off no other', async () => {
    const site = arraySite({ conductor: { lock_wait_seconds: 0.05 } });
    const { url } = await serve(site);
    const busy = await deployedNode(url, 'n-1');
    const { body } = await call(url, 'POST', '/v1/nodes', { driver: 'array', name: 'n-2', storage_interface: 'noop' });
    const { child, release } = await heldReconcile(site);
    const power = (uuid: string) => call(url, 'PUT', `/v1/nodes/${uuid}/states/power`, { target: 'power off' });
    const refused = await power(busy);
    expect(refused.status).toBe(409);
    expect(JSON.stringify(refused.body)).toMatch(
      new RegExp(`is locked by host c-1/reconcile-${child.pid}-[0-9a-f]{8},`),
    );
    expect((await power(String(body['uuid']))).status).toBe(202);
    release();
    expect((await child).exitCode).toBe(0);
    expect((await power(busy)).status).toBe(202);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('releases the node when it is ended with %s', async (signal) => {
    const site = arraySite();
    const { url } = await serve(site);
    const uuid = await deployedNode(url, 'n-1');
    const { child } = await heldReconcile(site);
    expect((await nodeOf(url, uuid))['reservation']).toContain('reconcile');
    child.kill(signal);
    const { exitCode, stderr } = await child;
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('[OPERATION_ABORTED]')]);
    expect((await nodeOf(url, uuid))['reservation']).toBeNull();
  });

  it('that was killed leaves a node that the conductor takes over when the lease has run out', async () => {
    const site = arraySite({ conductor: { lock_lease_seconds: 1, lock_wait_seconds: 0.05 } });
    const { url } = await serve(site);
    const uuid = await deployedNode(url, 'n-1');
    const { child } = await heldReconcile(site);
    child.kill('SIGKILL');
    await child;
    expect((await nodeOf(url, uuid))['reservation']).toContain('reconcile');
    await vi.waitFor(async () => {
      const { status } = await call(url, 'PUT', `/v1/nodes/${uuid}/states/power`, { target: 'power off' });
      expect(status).toBe(202);
    }, waiting);
  });

  it('disturbs no request, however often it runs', async () => {
    const site = arraySite();
    const { url } = await serve(site);
    const uuids = [await deployedNode(url, 'n-1'), await deployedNode(url, 'n-2')];
    for (const uuid of uuids) {
      await powerOff(site, url, uuid);
      leak(site, uuid, 'left-over');
    }
    let done = false;
    const comparisons = (async () => {
      const exitCodes: unknown[] = [];
      for (let i = 0; i < 4; i += 1)
        exitCodes.push((await ironbark(['reconcile', '--repair', '--site', site])).exitCode);
      done = true;
      return exitCodes;
    })();
    const answers = new Map<number, number>();
    let count = 0;
    const isDone = () => done;
    while (!isDone()) {
      count += 1;
      for (const uuid of uuids) {
        const patch = [{ op: 'add', path: '/extra/count', value: count }];
        const { status } = await call(url, 'PATCH', `/v1/nodes/${uuid}`, patch);
        answers.set(status, (answers.get(status) ?? 0) + 1);
      }
    }
    expect(await comparisons).toEqual([0, 0, 0, 0]);
    expect([...answers.keys()]).toEqual([200]);
    for (const uuid of uuids) {
      expect((await nodeOf(url, uuid))['extra']).toEqual({ count });
      expect(exportsOf(site, uuid)).toEqual([]);
    }
  });
});

describe('ironbark reconcile without a conductor', () => {
  it('does its work all the same, and prints JSON when it is asked to', async () => {
    const site = arraySite();
    const { url, child } = await serve(site);
    const uuid = await deployedNode(url, 'n-1');
    await powerOff(site, url, uuid);
    child.kill('SIGTERM');
    await child;
    leak(site, uuid, 'left-over');
    leak(site, stranger, 'foreign-1');
    const { exitCode, stdout } = await ironbark(['reconcile', '--repair', '--json', '--site', site]);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      nodes: [{ nodeUuid: uuid, name: 'n-1', findings: [{ volumeId: 'left-over', isRepaired: true }], skipped: null }],
      orphans: [{ storageInterface: 'array', findings: [{ nodeUuid: stranger, volumeId: 'foreign-1' }] }],
    });
    expect(exportsOf(site, uuid)).toEqual([]);
    expect(exportsOf(site, stranger)).toEqual(['foreign-1']);
    await serve(site);
  });

  it('says what could not be compared, and exits with 1', async () => {
    const site = arraySite();
    const { url, child } = await serve(site);
    await deployedNode(url, 'n-1');
    child.kill('SIGTERM');
    await child;
    rmSync(join(site, 'array'), { recursive: true });
    const { exitCode, stdout } = await ironbark(['reconcile', 'n-1', '--site', site]);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^n-1: not compared\. .*ENOENT/)]);
  });

  it('says that a node has nothing to compare, or is not known', async () => {
    const site = arraySite();
    const { url } = await serve(site);
    await call(url, 'POST', '/v1/nodes', { driver: 'array', name: 'n-1', storage_interface: 'noop' });
    const { exitCode, stdout } = await ironbark(['reconcile', 'n-1', '--site', site]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('The storage interface noop keeps no books.')]);
    const unknown = await ironbark(['reconcile', 'n-9', '--site', site]);
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining('[NOT_FOUND]')]);
  });

  it('makes no database', async () => {
    const site = arraySite();
    const { exitCode, stderr } = await ironbark(['reconcile', '--site', site]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('[CONFIG_INVALID]')]);
    expect(existsSync(join(site, 'state/ironbark.sqlite'))).toBe(false);
  });
});
