import assert from 'node:assert/strict';
import { formatImageReference, type BootArtifacts, type BootRequest, type BootSource } from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';
import type { Bench } from './bench.ts';
import { contentOfImage } from './boot-images.ts';
import { declaredSources, requestOf, sourceFor } from './boot-sources.ts';
import type { Fixture, Harness, TestRunner } from './harness.ts';

/** `write_refused`: what the driver writes to has no space left, or does not answer. */
export type BootFault = 'write_refused';

export interface BootOptions {
  /** Nodes with ports, an `iqn` connector and iSCSI targets. Nothing of them is in the backend. */
  readonly records: readonly NodeRecords[];
  /**
   * The images that there are, by their reference as `formatImageReference` of core writes it. The driver's image service has to give
   * these bytes, and to fail for any other reference.
   */
  readonly images: ReadonlyMap<string, Uint8Array>;
}

/** What machines would find, of all nodes together. */
export interface ObservedBootTree {
  /** Images are files like any other; all contents are text in UTF-8. */
  readonly files: readonly { readonly root: string; readonly path: string; readonly content: string }[];
  readonly links: readonly { readonly root: string; readonly path: string; readonly target: string }[];
}

export interface BootFixture extends Fixture<'boot', BootFault> {
  /** The whole backend. Link targets are relative to the root, as in the artifacts. */
  observe(): Promise<ObservedBootTree> | ObservedBootTree;
  /** Takes all injected faults back. Needed with faults. */
  repair?(): void | Promise<void>;
}

export interface BootHarness extends Harness<BootOptions, BootFixture, BootFault> {
  /**
   * Texts that mean something in the driver's format (a variable, a command separator). A value that contains one has to be refused
   * or encoded; line ends and NUL are tried for every format. Default: none.
   */
  readonly hostileTexts?: readonly string[];
}

export type BootBench = Bench<'boot', BootFault, BootFixture>;

export interface BootContext {
  readonly runner: TestRunner;
  readonly harness: BootHarness;
  /** Runs a test with two nodes that have two volumes each. */
  readonly use: (body: (bench: BootBench) => Promise<void>) => Promise<void>;
}

/** One source of every kind that the driver declares. */
export function declaredBy(bench: BootBench): readonly BootSource[] {
  const { capabilities = [] } = bench.driver;
  return declaredSources
    .filter(({ tag }) => capabilities.includes(tag))
    .map(({ make }) => make(bench.records(), capabilities));
}

/** A request for the richest source that the driver declares. */
export function requestFor(bench: BootBench, records: NodeRecords = bench.records()): BootRequest {
  return requestOf(sourceFor(bench.driver.capabilities ?? [], records));
}

export function renderFor(bench: BootBench, records: NodeRecords = bench.records()): BootArtifacts {
  return bench.driver.render(bench.task(records), requestFor(bench, records));
}

/** Artifacts as plain values, with the contents that machines get. */
export function revealedArtifacts(artifacts: BootArtifacts) {
  const { files, links, images = [], dhcp = [], bootDevice, httpBootUrl = null, warnings } = artifacts;
  return {
    files: files.map(({ root, path, content }) => ({ root, path, content: content.reveal() })),
    links: links.map(({ root, path, target }) => ({ root, path, target })),
    images: images.map(({ root, path, image }) => ({ root, path, image: formatImageReference(image) })),
    dhcp: dhcp.map(({ portUuid, macAddress, bootFiles }) => ({ portUuid, macAddress, bootFiles: { ...bootFiles } })),
    bootDevice,
    httpBootUrl,
    warnings: [...warnings],
  };
}

export function contentsOf(artifacts: BootArtifacts): string {
  return artifacts.files.map((file) => file.content.reveal()).join('\n');
}

/** The tree in an order that can be compared. */
export async function sortedTree(bench: BootBench): Promise<ObservedBootTree> {
  const { files, links } = await bench.fixture.observe();
  const byPath = (a: { root: string; path: string }, b: { root: string; path: string }) =>
    `${a.root}/${a.path}` < `${b.root}/${b.path}` ? -1 : 1;
  return { files: files.toSorted(byPath), links: links.toSorted(byPath) };
}

/** Fails unless the backend holds every file, link and image of the artifacts, exactly. */
export async function assertApplied(bench: BootBench, artifacts: BootArtifacts): Promise<void> {
  const tree = await bench.fixture.observe();
  const { files, links } = revealedArtifacts(artifacts);
  for (const file of files) {
    const found = tree.files.find(({ root, path }) => root === file.root && path === file.path);
    assert.equal(found?.content, file.content, `the content of ${file.root}/${file.path} is another`);
  }
  for (const { root, path, image } of artifacts.images ?? []) {
    const found = tree.files.find((file) => root === file.root && path === file.path);
    assert.equal(
      found?.content,
      contentOfImage(image),
      `${root}/${path} is not the image ${formatImageReference(image)}`,
    );
  }
  for (const link of links) {
    const found = tree.links.find(({ root, path }) => root === link.root && path === link.path);
    assert.equal(found?.target, link.target, `the target of ${link.root}/${link.path} is another`);
  }
}

/** Fails when a path or content in the backend mentions the node or one of its network cards. */
export async function assertNothingOf(bench: BootBench, records: NodeRecords): Promise<void> {
  const cards = records.ports.flatMap(({ address }) => ['', '-', ':'].map((mark) => address.replaceAll(':', mark)));
  const names = [records.node.uuid, ...cards];
  const { files, links } = await bench.fixture.observe();
  const texts = [
    ...files.map((file) => `${file.root}/${file.path}: ${file.content}`),
    ...links.map((link) => `${link.root}/${link.path} -> ${link.target}`),
  ];
  const left = texts.filter((text) => names.some((name) => text.toLowerCase().includes(name.toLowerCase())));
  assert.deepEqual(left, [], 'something of the node is left');
}
