import assert from 'node:assert/strict';
import { abortReason } from '../fakes/task.ts';
import {
  assertApplied,
  assertNothingOf,
  renderFor,
  requestFor,
  revealedArtifacts,
  sortedTree,
  type BootBench,
  type BootContext,
} from './boot-harness.ts';
import { moved, requestOf } from './boot-sources.ts';
import { rejected, rejectedByAbort, settled } from './outcome.ts';

async function applyTo(bench: BootBench, records = bench.records()) {
  const artifacts = renderFor(bench, records);
  await settled('apply', bench.driver.apply(bench.task(records), artifacts));
  return artifacts;
}

/** Tests of `apply`. */
export function describeApply({ runner: { describe, it }, use }: BootContext): void {
  describe('apply', () => {
    it('puts every file and link where the artifacts say', () =>
      use(async (bench) => {
        await assertApplied(bench, await applyTo(bench));
      }));

    it('twice is the same as once', () =>
      use(async (bench) => {
        await applyTo(bench);
        const once = await sortedTree(bench);
        await applyTo(bench);
        assert.deepEqual(await sortedTree(bench), once);
      }));

    it('replaces what an earlier apply left', () =>
      use(async (bench) => {
        await applyTo(bench);
        const { source, oldText } = moved(requestFor(bench).source);
        const artifacts = bench.driver.render(bench.task(), requestOf(source));
        await settled('apply', bench.driver.apply(bench.task(), artifacts));
        await assertApplied(bench, artifacts);
        const { files } = await bench.fixture.observe();
        const stale = files.filter(({ content }) => oldText !== null && content.includes(oldText));
        assert.deepEqual(
          stale.map(({ path }) => path),
          [],
          'files still hold what was replaced',
        );
      }));

    it('takes away what belonged to a port that is gone', () =>
      use(async (bench) => {
        await applyTo(bench);
        const { ports, ...rest } = bench.records();
        const records = { ...rest, ports: ports.slice(1) };
        await assertApplied(bench, await applyTo(bench, records));
        const gone = { ...rest, node: { ...rest.node, uuid: 'no node' }, ports: ports.slice(0, 1) };
        await assertNothingOf(bench, gone);
      }));

    it('keeps two nodes apart that are applied at the same time', () =>
      use(async (bench) => {
        const [first, second] = await settled(
          'both',
          Promise.all([applyTo(bench, bench.records(0)), applyTo(bench, bench.records(1))]),
        );
        await assertApplied(bench, first);
        await assertApplied(bench, second);
      }));

    it('does not begin when its signal is aborted', () =>
      use(async (bench) => {
        const before = await sortedTree(bench);
        const reason = abortReason();
        const task = bench.task(bench.records(), { signal: AbortSignal.abort(reason) });
        await rejectedByAbort('apply', bench.driver.apply(task, renderFor(bench)), reason);
        assert.deepEqual(await sortedTree(bench), before);
      }));
  });
}

/** Tests of `cleanUp`. */
export function describeCleanUp({ runner: { describe, it }, use }: BootContext): void {
  describe('cleanUp', () => {
    it('removes everything of the node', () =>
      use(async (bench) => {
        await applyTo(bench);
        await settled('cleanUp', bench.driver.cleanUp(bench.task()));
        await assertNothingOf(bench, bench.records());
      }));

    it('leaves another node alone', () =>
      use(async (bench) => {
        await applyTo(bench);
        const other = await applyTo(bench, bench.records(1));
        await settled('cleanUp', bench.driver.cleanUp(bench.task()));
        await assertApplied(bench, other);
        await assertNothingOf(bench, bench.records());
      }));

    it('twice is the same as once', () =>
      use(async (bench) => {
        await applyTo(bench);
        await settled('cleanUp', bench.driver.cleanUp(bench.task()));
        const once = await sortedTree(bench);
        await settled('the second cleanUp', bench.driver.cleanUp(bench.task()));
        assert.deepEqual(await sortedTree(bench), once);
      }));

    it('without an apply does nothing', () =>
      use(async (bench) => {
        const before = await sortedTree(bench);
        await settled('cleanUp', bench.driver.cleanUp(bench.task()));
        assert.deepEqual(await sortedTree(bench), before);
      }));

    it('removes what belonged to a port that is gone', () =>
      use(async (bench) => {
        await applyTo(bench);
        const records = { ...bench.records(), ports: bench.records().ports.slice(1) };
        await settled('cleanUp', bench.driver.cleanUp(bench.task(records)));
        await assertNothingOf(bench, bench.records());
      }));

    it('lets the node be applied again', () =>
      use(async (bench) => {
        await applyTo(bench);
        await settled('cleanUp', bench.driver.cleanUp(bench.task()));
        await assertApplied(bench, await applyTo(bench));
      }));

    it('does not begin when its signal is aborted', () =>
      use(async (bench) => {
        await applyTo(bench);
        const before = await sortedTree(bench);
        const reason = abortReason();
        const task = bench.task(bench.records(), { signal: AbortSignal.abort(reason) });
        await rejectedByAbort('cleanUp', bench.driver.cleanUp(task), reason);
        assert.deepEqual(await sortedTree(bench), before);
      }));
  });
}

/** Tests of `apply` on a backend that takes nothing. */
export function describeFailingApply({ runner: { describe, it }, harness, use }: BootContext): void {
  if (!harness.faults?.includes('write_refused')) return;
  describe('apply that fails', () => {
    it('leaves every file whole, the old one or the new one', () =>
      use(async (bench) => {
        const old = revealedArtifacts(await applyTo(bench));
        const artifacts = bench.driver.render(bench.task(), requestOf(moved(requestFor(bench).source).source));
        const records = await bench.inject('write_refused');
        await rejected('apply', bench.driver.apply(bench.task(records), artifacts), /./, bench.secrets);
        const known = [...old.files, ...revealedArtifacts(artifacts).files];
        for (const file of (await bench.fixture.observe()).files) {
          const versions = known.filter(({ root, path }) => root === file.root && path === file.path);
          const isWhole = versions.length === 0 || versions.some(({ content }) => content === file.content);
          assert.ok(isWhole, `${file.root}/${file.path} is neither the old file nor the new one`);
        }
      }));

    it('succeeds when it is repeated after the fault', () =>
      use(async (bench) => {
        const records = await bench.inject('write_refused');
        await rejected('apply', bench.driver.apply(bench.task(records), renderFor(bench)), /./, bench.secrets);
        assert.ok(bench.fixture.repair !== undefined, 'the harness names faults, but its fixture has no repair()');
        await bench.fixture.repair();
        await assertApplied(bench, await applyTo(bench));
      }));
  });
}
