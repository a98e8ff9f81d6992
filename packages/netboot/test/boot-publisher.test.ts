import { chmod, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  formatImageReference,
  secretText,
  silentLogger,
  type BootArtifacts,
  type BootImage,
  type DhcpBoot,
  type ImageReference,
  type Task,
} from '@ironbark/core';
import { createNode, createTask, fixedUuid, MemoryJournal } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import {
  BootPublisher,
  netbootConfig,
  openNetboot,
  type DhcpProvider,
  type ImageFiles,
  type Netboot,
} from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const node = createNode({ provisionState: 'deploying' });
const active = createNode({ provisionState: 'active' });
const { uuid } = node;

const kernel = imageAt('kernel', 'kernel-1');

function imageAt(name: string, content: string, root: BootImage['root'] = 'http'): BootImage {
  return { root, path: `${uuid}/${name}`, image: { kind: 'url', url: `http://192.0.2.9/${content}` } };
}

function card(number: number, file = 'loader.efi'): DhcpBoot {
  return {
    portUuid: fixedUuid(2, number),
    macAddress: `52:54:00:00:00:0${number}`,
    bootFiles: { 'uefi-x86_64': file },
  };
}

function artifactsOf(script: string, changes: Partial<BootArtifacts> = {}): BootArtifacts {
  return {
    files: [{ root: 'http', path: `${uuid}/config`, content: secretText`${script}` }],
    links: [{ root: 'http', path: 'pxelinux.cfg/52-54-00-00-00-01', target: `${uuid}/config` }],
    images: [kernel],
    dhcp: [card(1)],
    bootDevice: 'pxe',
    warnings: [],
    ...changes,
  };
}

/** The text of an image is its own reference. */
class TextImages implements ImageFiles {
  readonly fetched: string[] = [];
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async withFile<Result>(image: ImageReference, _task: Task, work: (path: string) => Promise<Result>): Promise<Result> {
    const reference = formatImageReference(image);
    this.fetched.push(reference);
    const path = join(this.#directory, 'image');
    await writeFile(path, reference);
    return await work(path);
  }
}

class MemoryDhcp implements DhcpProvider {
  readonly cards = new Map<string, DhcpBoot>();

  async apply(_nodeUuid: string, entries: readonly DhcpBoot[]): Promise<void> {
    for (const entry of entries) this.cards.set(entry.macAddress, entry);
  }

  async remove(_nodeUuid: string, ports: readonly Pick<DhcpBoot, 'portUuid' | 'macAddress'>[]): Promise<void> {
    for (const port of ports) this.cards.delete(port.macAddress);
  }
}

interface Site {
  readonly directory: string;
  readonly netboot: Netboot;
  readonly dhcp: MemoryDhcp;
  readonly images: TextImages;
  readonly journal: MemoryJournal;
  readonly publisher: BootPublisher;
}

async function openSite(): Promise<Site> {
  const directory = await temporaryDirectory();
  const config = netbootConfig.parse({ http_root: join(directory, 'http'), tftp_root: join(directory, 'tftp') });
  const dhcp = new MemoryDhcp();
  const netboot = { ...(await openNetboot({ config, stateDirectory: directory, log: silentLogger })), dhcp };
  const images = new TextImages(directory);
  const publisher = new BootPublisher(netboot, images);
  return { directory, netboot, dhcp, images, journal: new MemoryJournal(), publisher };
}

/** All that machines can find: paths with their content or target, and what DHCP says. */
async function published({ directory, dhcp }: Site): Promise<Readonly<Record<string, string>>> {
  const found: [string, string][] = [...dhcp.cards].map(([mac, entry]) => [mac, JSON.stringify(entry.bootFiles)]);
  for (const root of ['http', 'tftp']) {
    for (const entry of await readdir(join(directory, root), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(directory.length + 1);
      if (entry.isFile()) found.push([name, await readFile(path, 'utf8')]);
      if (entry.isSymbolicLink()) found.push([name, await readlink(path)]);
    }
  }
  return Object.fromEntries(found.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

describe('apply', () => {
  it('publishes files, links, images and DHCP entries', async () => {
    const site = await openSite();
    const { publisher, journal } = site;
    await publisher.apply(
      createTask({ node, journal }),
      artifactsOf('a', { images: [kernel, imageAt('k', 'b', 'tftp')] }),
    );
    expect(await published(site)).toEqual({
      '52:54:00:00:00:01': '{"uefi-x86_64":"loader.efi"}',
      [`http/${uuid}/config`]: 'a',
      [`http/${uuid}/kernel`]: 'http://192.0.2.9/kernel-1',
      'http/pxelinux.cfg/52-54-00-00-00-01': `../${uuid}/config`,
      [`tftp/${uuid}/k`]: 'http://192.0.2.9/b',
    });
  });

  it('takes away all that the artifacts no longer have', async () => {
    const site = await openSite();
    const task = createTask({ node, journal: site.journal });
    await site.publisher.apply(task, artifactsOf('a', { dhcp: [card(1), card(2)] }));
    const none: BootArtifacts = { files: [], links: [], bootDevice: 'disk', warnings: [] };
    await site.publisher.apply(task, none);
    expect(await published(site)).toEqual({});
    await site.publisher.cleanUp(task);
    expect(site.journal.notes().size).toBe(0);
  });

  it('fetches every image for a node that is being deployed, though it has it already', async () => {
    const { publisher, journal, images } = await openSite();
    await publisher.apply(createTask({ node, journal }), artifactsOf('a'));
    await publisher.apply(createTask({ node, journal }), artifactsOf('a'));
    expect(images.fetched).toHaveLength(2);
  });

  it('fetches nothing for an active node that has its images', async () => {
    const site = await openSite();
    const { publisher, journal, images } = site;
    await publisher.apply(createTask({ node, journal }), artifactsOf('a'));
    await publisher.apply(createTask({ node: active, journal }), artifactsOf('b'));
    expect(images.fetched).toHaveLength(1);
    expect(await published(site)).toMatchObject({ [`http/${uuid}/config`]: 'b' });
  });

  it('fetches for an active node what it lacks: another image, a file that is gone', async () => {
    const site = await openSite();
    const { publisher, journal, images, netboot } = site;
    await publisher.apply(
      createTask({ node, journal }),
      artifactsOf('a', { images: [kernel, imageAt('ramdisk', 'r-1')] }),
    );
    await netboot.tree.prune(uuid, [imageAt('kernel', '')]);
    const changed = [imageAt('kernel', 'kernel-2'), imageAt('ramdisk', 'r-1')];
    await publisher.apply(createTask({ node: active, journal }), artifactsOf('a', { images: changed }));
    expect(images.fetched.slice(2).sort()).toEqual(['http://192.0.2.9/kernel-2', 'http://192.0.2.9/r-1']);
    expect(await published(site)).toMatchObject({ [`http/${uuid}/kernel`]: 'http://192.0.2.9/kernel-2' });
  });

  it('leaves the old script in place while an image cannot be had', async () => {
    const site = await openSite();
    const { publisher, journal, netboot } = site;
    await publisher.apply(createTask({ node, journal }), artifactsOf('a'));
    const failing: ImageFiles = { withFile: () => Promise.reject(new Error('Glance is down')) };
    const refused = new BootPublisher(netboot, failing).apply(createTask({ node, journal }), artifactsOf('b'));
    await expect(refused).rejects.toThrow('Glance is down');
    expect(await published(site)).toMatchObject({ [`http/${uuid}/config`]: 'a' });
  });

  it('gives the images of an active node the mode that is configured now', async () => {
    const { publisher, journal, directory, images } = await openSite();
    await publisher.apply(createTask({ node, journal }), artifactsOf('a'));
    await chmod(join(directory, 'http', kernel.path), 0o600);
    await publisher.apply(createTask({ node: active, journal }), artifactsOf('a'));
    expect((await stat(join(directory, 'http', kernel.path))).mode & 0o777).toBe(0o640);
    expect(images.fetched).toHaveLength(1);
  });

  it.each([
    ['apply', (publisher: BootPublisher, task: Task) => publisher.apply(task, artifactsOf('b'))],
    ['cleanUp', (publisher: BootPublisher, task: Task) => publisher.cleanUp(task)],
  ])('remembers the entries of a DHCP provider that is not configured during %s', async (_, meanwhile) => {
    const site = await openSite();
    const { netboot, images, journal } = site;
    await site.publisher.apply(createTask({ node, journal }), artifactsOf('a'));
    await meanwhile(new BootPublisher({ ...netboot, dhcp: null }, images), createTask({ node, journal }));
    expect([...site.dhcp.cards.keys()]).toEqual(['52:54:00:00:00:01']);
    await site.publisher.cleanUp(createTask({ node, journal }));
    expect(await published(site)).toEqual({});
    expect(journal.notes().size).toBe(0);
  });

  it('says nothing of network cards when somebody else configures DHCP', async () => {
    const { netboot, images, journal } = await openSite();
    const publisher = new BootPublisher({ ...netboot, dhcp: null }, images);
    await publisher.apply(createTask({ node, journal }), artifactsOf('a'));
    expect([...journal.notes().keys()].sort()).toEqual(['images', 'links']);
  });
});

/** Thrown in the place of a step, or after it: nothing that follows happens, as when the process is killed. */
class Killed extends Error {}

class Killer {
  #steps = 0;
  readonly #at: number;

  /** @param at number of the half step that is the last: even ones are before a step, odd ones after it. */
  constructor(at: number) {
    this.#at = at;
  }

  /** The same object, each of whose methods is a step. */
  guard<Value extends object>(value: Value): Value {
    return new Proxy(value, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        return async (...parameters: readonly unknown[]): Promise<unknown> => {
          this.#step();
          const result: unknown = await Reflect.apply(member, target, parameters);
          this.#step();
          return result;
        };
      },
    });
  }

  #step(): void {
    if (this.#steps++ === this.#at) throw new Killed();
  }
}

function killable(site: Site, at: number): { readonly publisher: BootPublisher; readonly journal: MemoryJournal } {
  const killer = new Killer(at);
  const netboot = {
    ...site.netboot,
    tree: killer.guard(site.netboot.tree),
    dhcp: killer.guard<DhcpProvider>(site.dhcp),
  };
  return {
    publisher: new BootPublisher(netboot, killer.guard<ImageFiles>(site.images)),
    journal: killer.guard(site.journal),
  };
}

const before = artifactsOf('before', { dhcp: [card(1), card(2)], images: [kernel, imageAt('boot.iso', 'iso')] });
const after = artifactsOf('after', {
  links: [{ root: 'tftp', path: 'grub.cfg', target: `${uuid}/grub.cfg` }],
  files: [{ root: 'tftp', path: `${uuid}/grub.cfg`, content: secretText`after` }],
  dhcp: [card(2, 'other.efi'), card(3)],
  images: [imageAt('kernel', 'kernel-2'), imageAt('ramdisk', 'ramdisk-2')],
});

/** Kills `work` at every half step in turn, and hands each wreck to `check`. @returns how many there were. */
async function killEverywhere(
  work: (publisher: BootPublisher, task: Task) => Promise<void>,
  check: (site: Site) => Promise<void>,
): Promise<number> {
  for (let at = 0; ; at++) {
    const site = await openSite();
    await site.publisher.apply(createTask({ node, journal: site.journal }), before);
    const { publisher, journal } = killable(site, at);
    try {
      await work(publisher, createTask({ node, journal }));
      return at;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    await check(site);
  }
}

describe('a conductor that was killed', () => {
  const reapply = (publisher: BootPublisher, task: Task) => publisher.apply(task, after);

  it.each([node, active])(
    'ends with the same when apply is repeated on a node that is then $provisionState',
    async (then) => {
      const whole = await openSite();
      await whole.publisher.apply(createTask({ node, journal: whole.journal }), after);
      const wanted = await published(whole);
      const kills = await killEverywhere(reapply, async (site) => {
        await site.publisher.apply(createTask({ node: then, journal: site.journal }), after);
        expect(await published(site)).toEqual(wanted);
      });
      expect(kills).toBeGreaterThan(30);
    },
  );

  it('leaves nothing behind when the node is cleaned up after it', async () => {
    await killEverywhere(reapply, async (site) => {
      await site.publisher.cleanUp(createTask({ node, journal: site.journal, ports: [] }));
      expect(await published(site)).toEqual({});
      expect(site.journal.notes().size).toBe(0);
    });
  });

  it('leaves nothing behind when the cleaning up is repeated', async () => {
    const kills = await killEverywhere(
      (publisher, task) => publisher.cleanUp(task),
      async (site) => {
        await site.publisher.cleanUp(createTask({ node, journal: site.journal }));
        expect(await published(site)).toEqual({});
      },
    );
    expect(kills).toBeGreaterThan(10);
  });
});
