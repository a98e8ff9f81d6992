import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNode, fixedUuid } from '@ironbark/driver-testkit/fakes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryStates } from '../src/directory-states.ts';
import { FakeBoot } from '../src/fake-boot.ts';
import { FakeMachines } from '../src/fake-machines.ts';
import { MemoryStates } from '../src/memory-states.ts';
import { StepRunner } from '../src/step-runner.ts';
import { createFakes, taskWith } from './fixtures.ts';

const node = createNode();

describe('a machine that nothing is known about', () => {
  it.each([
    ['power on', 'power on'],
    ['power off', 'power off'],
    [null, 'power off'],
    ['error', 'power off'],
  ] as const)('whose node says %s is in %s', async (powerState, expected) => {
    const machines = new FakeMachines(new MemoryStates());
    expect((await machines.read(createNode({ powerState }))).powerState).toBe(expected);
  });
});

describe('states in memory', () => {
  it('are limited: the machine that was used least recently is forgotten', async () => {
    const states = new MemoryStates(2);
    const machines = new FakeMachines(states);
    const [first, second, third] = [0, 1, 2].map((number) => createNode({ uuid: fixedUuid(1, number) }));
    for (const one of [first, second]) await machines.change(one ?? node, { boots: 1 });
    await machines.read(first ?? node);
    await machines.change(third ?? node, { boots: 1 });
    const kept = await Promise.all([first, second, third].map((one) => states.read(one?.uuid ?? '')));
    expect(kept.map((machine) => machine?.boots)).toEqual([1, undefined, 1]);
  });

  it('take no room for machines that were only read', async () => {
    const states = new MemoryStates();
    await new FakeMachines(states).read(node);
    expect(await states.read(node.uuid)).toBeUndefined();
  });
});

describe('boot artifacts', () => {
  it('are limited to the nodes that were booted last', async () => {
    const runner = new StepRunner({ delay_ms: 0, failure_rate: 0, seed: 0 }, { sleep: () => Promise.resolve() });
    const boot = new FakeBoot(runner, 2);
    for (const number of [0, 1, 2]) {
      const task = { ...taskWith({}), node: createNode({ uuid: fixedUuid(1, number) }) };
      await boot.apply(task, boot.render(task, { source: { kind: 'local_disk' }, reportUrl: null }));
    }
    expect([...boot.applied().keys()]).toEqual([fixedUuid(1, 1), fixedUuid(1, 2)]);
  });
});

describe('the image of an instance', () => {
  it.each([
    [{ image_rootfs_uuid: '0f1e' }, 'UUID=0f1e'],
    [{ image_rootfs_label: 'root' }, 'LABEL=root'],
    [{}, null],
  ])('has its root from instance_info %j', async (instanceInfo, root) => {
    const { boot } = createFakes();
    const task = { ...taskWith({}), node: createNode({ instanceInfo }) };
    expect((await boot.describeImage(task)).root).toBe(root);
  });
});

describe('states in a directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ironbark-fake-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('outlive the process: other fakes on the same directory see them', async () => {
    const place = join(directory, 'machines');
    const task = taskWith({});
    const before = createFakes({}, new DirectoryStates(place));
    await before.power.setPowerState(task, 'power on', 1000);
    await before.management.setBootDevice(task, 'disk', false);
    const after = createFakes({}, new DirectoryStates(place));
    expect(await after.power.getPowerState(task)).toBe('power on');
    expect(await after.management.getBootDevice(task)).toEqual({ bootDevice: 'disk', persistent: false });
  });

  it('leave one file per node, which only its owner can read', async () => {
    const machines = new FakeMachines(new DirectoryStates(directory));
    await machines.change(node, { powerState: 'power on' });
    await machines.change(node, { powerState: 'power off' });
    expect(await readdir(directory)).toEqual([`${node.uuid}.json`]);
    expect((await stat(join(directory, `${node.uuid}.json`))).mode & 0o777).toBe(0o600);
  });

  it('are read when they say nothing of Secure Boot', async () => {
    const machines = new FakeMachines(new DirectoryStates(directory));
    const { secureBoot: _new, ...before } = await machines.read(node);
    await writeFile(join(directory, `${node.uuid}.json`), JSON.stringify(before));
    expect((await machines.read(node)).secureBoot).toBe(false);
  });

  it('survive a write that was cut off', async () => {
    const machines = new FakeMachines(new DirectoryStates(directory));
    await machines.change(node, { powerState: 'power on' });
    await writeFile(join(directory, `${node.uuid}.json.tmp`), '{"powerState":"po');
    expect((await machines.read(node)).powerState).toBe('power on');
    await machines.change(node, { powerState: 'power off' });
    expect(await readdir(directory)).toEqual([`${node.uuid}.json`]);
  });

  it('name the file that is damaged', async () => {
    await writeFile(join(directory, `${node.uuid}.json`), '{"powerState":"po');
    const read = new DirectoryStates(directory).read(node.uuid);
    await expect(read).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining(`${node.uuid}.json`) as string,
    });
  });

  it('never leave the directory', async () => {
    const states = new DirectoryStates(directory);
    await expect(states.read('../etc/passwd')).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });
});
