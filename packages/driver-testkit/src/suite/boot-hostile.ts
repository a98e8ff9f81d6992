import assert from 'node:assert/strict';
import { isIronbarkError, explain, type BootArtifacts, type BootSource, type CapabilityTag } from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';
import { contentsOf, requestFor, type BootBench, type BootContext } from './boot-harness.ts';
import { assertInsideRoot } from './boot-render.ts';
import {
  iscsiFields,
  iscsiSource,
  ramdiskFields,
  ramdiskSource,
  requestOf,
  type HostileField,
} from './boot-sources.ts';
import { assertHidden } from './secrecy.ts';

/** Part of every hostile value; an error about a secret must not repeat it. */
const marker = 'Hostile7';
const lineBreakers = [`${marker}\nshell`, `${marker}\r\nshell`, `${marker}\rshell`, `${marker}\0`];
const harmless = 'Harmless7';

/** Tests that no value gains a line, a command or a path: each is refused by name, or stays a value. */
export function describeHostileValues(context: BootContext): void {
  const { runner, use } = context;
  const { describe, it } = runner;
  describe('hostile values', () => {
    for (const field of iscsiFields) {
      it(`in ${field.name} are refused by name or stay values`, () =>
        use((bench) => assertContained(context, bench, 'iscsi_volume_boot', iscsiSource(bench.records()), field)));
    }
    for (const field of ramdiskFields) {
      it(`in ${field.name} are refused by name or stay values`, () =>
        use((bench) => assertContained(context, bench, 'ramdisk_boot', ramdiskSource(), field)));
    }

    it('in the free text of a node change neither paths nor lines', () =>
      use(async (bench) => {
        const hostileTexts = [...lineBreakers, ...(context.harness.hostileTexts ?? []), '../../etc/passwd'];
        const plain = renderWithText(bench, harmless);
        assert.ok(plain !== undefined, 'plain text was refused');
        for (const text of hostileTexts) {
          const artifacts = renderWithText(bench, text);
          if (artifacts === undefined) continue;
          assertInsideRoot(artifacts);
          assert.deepEqual(shapeOf(artifacts), shapeOf(plain), `${JSON.stringify(text)} changed the structure`);
        }
        await Promise.resolve();
      }));
  });
}

async function assertContained<Source extends BootSource>(
  context: BootContext,
  bench: BootBench,
  tag: CapabilityTag,
  source: Source,
  field: HostileField<Source>,
): Promise<void> {
  await Promise.resolve();
  if (!(bench.driver.capabilities ?? []).includes(tag)) return;
  const plain = tryRender(bench, field.put(source, harmless));
  for (const text of lineBreakers) {
    const artifacts = tryRender(bench, field.put(source, text), field);
    if (artifacts === undefined) continue;
    assertInsideRoot(artifacts);
    if (plain !== undefined) {
      assert.deepEqual(shapeOf(artifacts), shapeOf(plain), `${JSON.stringify(text)} changed the structure`);
    }
  }
  for (const text of context.harness.hostileTexts ?? []) {
    const artifacts = tryRender(bench, field.put(source, `${marker}${text}`), field);
    if (artifacts === undefined) continue;
    assert.ok(!contentsOf(artifacts).includes(`${marker}${text}`), `${JSON.stringify(text)} stands in a file as it is`);
  }
}

/** The artifacts, or undefined when the value was refused properly. */
function tryRender<Source extends BootSource>(
  bench: BootBench,
  source: Source,
  field?: HostileField<Source>,
): BootArtifacts | undefined {
  try {
    return bench.driver.render(bench.task(), requestOf(source));
  } catch (error) {
    assert.ok(isIronbarkError(error, 'INVALID_PARAMETER'), `the value was refused with ${String(error)}`);
    if (field === undefined) return undefined;
    assert.match(explain(error), field.words, `the error does not name ${field.name}`);
    if (field.isSecret) assertHidden('the error', error, [marker]);
    return undefined;
  }
}

function renderWithText(bench: BootBench, text: string): BootArtifacts | undefined {
  const { node, ...rest } = bench.records();
  const records: NodeRecords = {
    ...rest,
    node: { ...node, name: text, description: text, extra: { note: text }, instanceInfo: { display_name: text } },
  };
  try {
    return bench.driver.render(bench.task(records), requestFor(bench));
  } catch (error) {
    assert.ok(isIronbarkError(error, 'INVALID_PARAMETER'), `the value was refused with ${String(error)}`);
    return undefined;
  }
}

/** Paths and numbers of lines: what no value may change. */
function shapeOf({ files, links }: BootArtifacts) {
  return {
    files: files.map(({ root, path, content }) => {
      const text = content.reveal();
      return { place: `${root}/${path}`, lines: text.split(/\r\n|\n|\r/).length, hasNul: text.includes('\0') };
    }),
    links: links.map(({ root, path, target }) => `${root}/${path} -> ${target}`),
  };
}
