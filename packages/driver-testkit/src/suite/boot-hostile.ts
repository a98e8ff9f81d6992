import assert from 'node:assert/strict';
import {
  isIronbarkError,
  explain,
  Secret,
  type BootArtifacts,
  type BootSource,
  type CapabilityTag,
} from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';
import { contentsOf, declaredBy, requestFor, type BootBench, type BootContext } from './boot-harness.ts';
import { assertInsideRoot } from './boot-render.ts';
import { iscsiFields, isoFields, nfsFields, ramdiskFields, systemFields, type HostileField } from './boot-fields.ts';
import { iscsiSource, isoSource, nfsSource, ramdiskSource, requestOf } from './boot-sources.ts';
import { rejected } from './outcome.ts';
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
    const register = <Source extends BootSource>(
      tag: CapabilityTag,
      fields: readonly HostileField<Source>[],
      make: (bench: BootBench) => Source,
    ) => {
      for (const field of fields) {
        it(`in ${field.name} are refused by name or stay values`, () =>
          use((bench) => assertContained(context, bench, tag, make(bench), field)));
      }
    };
    const iscsi = (bench: BootBench) => iscsiSource(bench.records(), bench.driver.capabilities ?? []);
    register('iscsi_volume_boot', iscsiFields, iscsi);
    register('kernel_from_image', systemFields, iscsi);
    register('nfs_volume_boot', nfsFields, nfsSource);
    register('ramdisk_boot', ramdiskFields, ramdiskSource);
    register('iso_boot', isoFields, isoSource);

    it('in the CHAP password of a volume whose connection is known are refused by validate, when render refuses them', () =>
      use(async (bench) => {
        const { capabilities = [] } = bench.driver;
        if (!capabilities.includes('iscsi_volume_boot')) return;
        for (const text of context.harness.hostileTexts ?? []) {
          const records = withPassword(bench.records(), `${marker}${text}`);
          if (tryRender(bench, iscsiSource(records, capabilities)) !== undefined) continue;
          const call = bench.driver.validate(bench.task(records));
          await rejected('validate', call, /^INVALID_PARAMETER$/, [...bench.secrets, marker]);
        }
      }));

    it('in the kernel parameters of a node are refused by name or stay values', () =>
      use(async (bench) => {
        await Promise.resolve();
        const plain = declaredBy(bench).map((source) => renderWithParameters(bench, source, harmless));
        // Parameters are separated by white space, so that it says nothing new.
        const words = (context.harness.hostileTexts ?? []).filter((text) => !/\s/.test(text));
        for (const [index, source] of declaredBy(bench).entries()) {
          for (const text of [...lineBreakers, ...words.map((word) => `${marker}${word}`)]) {
            const artifacts = renderWithParameters(bench, source, text);
            if (artifacts === undefined) continue;
            assertInsideRoot(artifacts);
            const before = plain[index];
            assert.ok(before !== undefined, 'a plain parameter was refused');
            assert.deepEqual(shapeOf(artifacts), shapeOf(before), `${JSON.stringify(text)} changed the structure`);
            if (lineBreakers.includes(text)) continue;
            assert.ok(!contentsOf(artifacts).includes(text), `${JSON.stringify(text)} stands in a file as it is`);
          }
        }
      }));

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

function withPassword(records: NodeRecords, password: string): NodeRecords {
  const volumeTargets = records.volumeTargets.map((target) => {
    return { ...target, properties: { ...target.properties, auth_password: Secret.of(password) } };
  });
  return { ...records, volumeTargets };
}

/** The artifacts of a node with these kernel parameters of its own, or undefined when they were refused by name. */
function renderWithParameters(bench: BootBench, source: BootSource, text: string): BootArtifacts | undefined {
  const { node, ...rest } = bench.records();
  const parameters = { kernel_append_params: text };
  const driverInfo = { ...node.driverInfo, ...parameters };
  const records = { ...rest, node: { ...node, driverInfo, instanceInfo: { ...node.instanceInfo, ...parameters } } };
  try {
    return bench.driver.render(bench.task(records), requestOf(source));
  } catch (error) {
    assert.ok(isIronbarkError(error, 'INVALID_PARAMETER'), `the parameters were refused with ${String(error)}`);
    assert.match(explain(error), /kernel_append_params|parameter/i, 'the error does not name the parameters');
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

/** Paths and numbers of lines: what no value may change. The path of an image may follow from its name. */
function shapeOf({ files, links, images = [] }: BootArtifacts) {
  return {
    files: files.map(({ root, path, content }) => {
      const text = content.reveal();
      return { place: `${root}/${path}`, lines: text.split(/\r\n|\n|\r/).length, hasNul: text.includes('\0') };
    }),
    links: links.map(({ root, path, target }) => `${root}/${path} -> ${target}`),
    images: images.map(({ root }) => root),
  };
}
