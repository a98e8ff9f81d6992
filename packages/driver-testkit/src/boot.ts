import { createNodeRecords } from './fakes/records.ts';
import { withBench } from './suite/bench.ts';
import { describeApply, describeCleanUp, describeFailingApply } from './suite/boot-apply.ts';
import { describeDhcp } from './suite/boot-dhcp.ts';
import { sortedTree, type BootBench, type BootContext, type BootHarness } from './suite/boot-harness.ts';
import { describeHostileValues } from './suite/boot-hostile.ts';
import { bootImages } from './suite/boot-images.ts';
import { describeArtifacts, describePureRender, describeSources } from './suite/boot-render.ts';
import { describeInstanceImage, describeServedImages } from './suite/boot-served.ts';
import type { TestRunner } from './suite/harness.ts';
import { describeRecords } from './suite/records-suite.ts';

export type { Fixture, Harness, RefusedRecords, TestRunner } from './suite/harness.ts';
export type { BootFault, BootFixture, BootHarness, BootOptions, ObservedBootTree } from './suite/boot-harness.ts';

/** Registers the conformance tests of a boot interface. */
export function describeBootDriver(runner: TestRunner, harness: BootHarness): void {
  const context: BootContext = {
    runner,
    harness,
    use(body) {
      const records = [0, 1].map((number) => createNodeRecords({ number, volumes: 2 }));
      return withBench('boot', harness, { records, images: bootImages }, body);
    },
  };
  runner.describe('boot driver', () => {
    describeRecords<BootBench>({
      runner,
      refuses: harness.refuses ?? [],
      use: (body) => context.use(body),
      observe: (bench) => sortedTree(bench),
    });
    describePureRender(context);
    describeArtifacts(context);
    describeSources(context);
    describeDhcp(context);
    describeHostileValues(context);
    describeInstanceImage(context);
    describeApply(context);
    describeServedImages(context);
    describeCleanUp(context);
    describeFailingApply(context);
  });
}
