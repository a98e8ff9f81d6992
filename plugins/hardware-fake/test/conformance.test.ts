import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeBootDriver } from '@ironbark/driver-testkit/boot';
import type { NodeRecords } from '@ironbark/driver-testkit/fakes';
import { describeManagementDriver } from '@ironbark/driver-testkit/management';
import { describePowerDriver, type RefusedRecords } from '@ironbark/driver-testkit/power';
import type { Info } from '@ironbark/core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { DirectoryStates } from '../src/directory-states.ts';
import { MemoryStates } from '../src/memory-states.ts';
import { createFakes } from './fixtures.ts';

function withDriverInfo({ node, ...rest }: NodeRecords, driverInfo: Info): NodeRecords {
  return { ...rest, node: { ...node, driverInfo: { ...node.driverInfo, ...driverInfo } } };
}

function refused(title: string, field: string, value: Info[string]): RefusedRecords {
  return { title, field, change: (records) => withDriverInfo(records, { [field]: value }) };
}

const refuses = [
  refused('a delay that is no number', 'fake_delay_ms', 'soon'),
  refused('a delay of an unknown step', 'fake_delay_ms', { 'power.explode': 1 }),
  refused('an unknown step to fail', 'fake_fail', ['power.explode']),
  refused('an unknown kind of ignored actions', 'fake_ignored_actions', 'some'),
  refused('a flag that is neither true nor false', 'fake_unreachable', 'maybe'),
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ironbark-fake-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

let directories = 0;
const backends = [
  { name: 'memory', open: () => new MemoryStates() },
  { name: 'a directory', open: () => new DirectoryStates(join(directory, String(directories++))) },
];

describe.each(backends)('with machines in $name', ({ open }) => {
  describePowerDriver(
    { describe, it },
    {
      faults: ['ignores_soft_actions', 'ignores_all_actions', 'power_lost', 'unreachable'],
      refuses,
      create({ records }) {
        const { power, machines } = createFakes({}, open());
        return {
          driver: power,
          records,
          observe: ({ node }) => machines.read(node),
          async inject(fault, faulty) {
            if (fault === 'ignores_soft_actions') return withDriverInfo(faulty, { fake_ignored_actions: 'soft' });
            if (fault === 'ignores_all_actions') return withDriverInfo(faulty, { fake_ignored_actions: 'all' });
            if (fault === 'unreachable') return withDriverInfo(faulty, { fake_unreachable: true });
            await machines.change(faulty.node, { powerState: 'power off' });
            return faulty;
          },
        };
      },
    },
  );

  describeManagementDriver(
    { describe, it },
    {
      faults: ['ignores_settings', 'unreachable'],
      refuses,
      create({ records }) {
        const { management, machines } = createFakes({}, open());
        return {
          driver: management,
          records,
          observe: ({ node }) => machines.read(node),
          inject: (fault, faulty) =>
            withDriverInfo(
              faulty,
              fault === 'unreachable' ? { fake_unreachable: true } : { fake_ignored_actions: 'all' },
            ),
        };
      },
    },
  );
});

describeBootDriver(
  { describe, it },
  {
    refuses,
    hostileTexts: ['"', '\\"}'],
    create({ records }) {
      const { boot } = createFakes();
      return {
        driver: boot,
        records,
        observe() {
          const files = [...boot.applied().values()].flatMap((artifacts) => artifacts.files);
          return {
            files: files.map(({ root, path, content }) => ({ root, path, content: content.reveal() })),
            links: [],
          };
        },
      };
    },
  },
);
