import { formatImageReference, type BootArtifacts, type BootImage, type Task } from '@ironbark/core';
import type { Netboot } from '../netboot-service.ts';
import type { DhcpPort } from '../dhcp/dhcp-provider.ts';
import type { ImageFiles } from './image-files.ts';
import { dhcpNotes, imageNotes, linkNotes, without, type PlacedImage } from './notes.ts';

/**
 * Puts boot artifacts where machines find them, and takes away what is no longer among them: the `apply` and `cleanUp` of boot
 * interfaces. Both are safe to repeat after a crash at any point. What lies in the node's own directory is found by looking; what lies
 * elsewhere (links, entries of a DHCP server) is noted in the journal before it is made.
 */
export class BootPublisher {
  readonly #netboot: Netboot;
  readonly #images: ImageFiles;

  constructor(netboot: Netboot, images: ImageFiles) {
    this.#netboot = netboot;
    this.#images = images;
  }

  /**
   * @throws NETBOOT_FILE_FAILED when the file system refuses; whatever the image service throws. The artifacts of an earlier call may
   *   then be in place still.
   */
  async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    task.signal.throwIfAborted();
    const { node, journal } = task;
    const { files, links, images = [] } = artifacts;
    const { tree, dhcp } = this.#netboot;
    const entries = artifacts.dhcp ?? [];
    const knownLinks = await linkNotes.read(journal);
    const knownPorts = await dhcpNotes.read(journal);
    // Without a provider the entries of an earlier one stay noted, for the day when it is configured again.
    const ports =
      dhcp === null ? knownPorts : entries.map(({ portUuid, macAddress }): DhcpPort => ({ portUuid, macAddress }));
    const staleLinks = without(knownLinks, links);
    const stalePorts = without(knownPorts, ports);
    // Noted before they are made: the link of a port that is deleted meanwhile is still found.
    const notedLinks = [...links, ...staleLinks];
    const notedPorts = [...ports, ...stalePorts];
    await linkNotes.write(journal, notedLinks, knownLinks);
    await dhcpNotes.write(journal, notedPorts, knownPorts);

    // Images first, so that a machine never reads a script whose kernel is not there yet.
    await this.#place(task, images);
    await tree.write(node.uuid, files, links);
    await dhcp?.apply(node.uuid, entries);

    await tree.removeLinks(node.uuid, staleLinks);
    await tree.prune(node.uuid, [...files, ...images]);
    await dhcp?.remove(node.uuid, stalePorts);
    await linkNotes.write(journal, links, notedLinks);
    await dhcpNotes.write(journal, ports, notedPorts);
  }

  /** Removes all that {@link apply} left for the node. */
  async cleanUp(task: Task): Promise<void> {
    task.signal.throwIfAborted();
    const { node, journal } = task;
    const { tree, dhcp } = this.#netboot;
    await dhcp?.remove(node.uuid, await dhcpNotes.read(journal));
    await tree.remove(node.uuid, await linkNotes.read(journal));
    for (const notes of [imageNotes, linkNotes]) await notes.forget(journal);
    if (dhcp !== null) await dhcpNotes.forget(journal);
  }

  async #place(task: Task, images: readonly BootImage[]): Promise<void> {
    const { node, journal } = task;
    const { tree } = this.#netboot;
    let noted = await imageNotes.read(journal);
    const note = async (next: readonly PlacedImage[]) => {
      await imageNotes.write(journal, next, noted);
      noted = next;
    };
    const wanted = images.map(({ root, path, image }): PlacedImage & BootImage => {
      return { root, path, image, reference: formatImageReference(image) };
    });
    // A note says what its file holds, so it goes before the file changes.
    await note(
      noted.filter((one) => wanted.some((other) => isSamePlace(one, other) && one.reference === other.reference)),
    );
    for (const { image, ...placed } of wanted) {
      const isNoted = noted.some((one) => isSamePlace(one, placed));
      // The system of an active node is the one it was deployed with, and a power on must not depend on the image service.
      if (isNoted && node.provisionState === 'active' && (await tree.keep(node.uuid, placed))) continue;
      task.signal.throwIfAborted();
      await this.#images.withFile(image, task, (source) => tree.place(node.uuid, placed, source));
      await note([...noted.filter((one) => !isSamePlace(one, placed)), placed]);
    }
  }
}

function isSamePlace(one: Omit<PlacedImage, 'reference'>, other: Omit<PlacedImage, 'reference'>): boolean {
  return one.root === other.root && one.path === other.path;
}
