import { join, posix } from 'node:path';
import { IronbarkError, isIronbarkError, type BootFile, type BootLink } from '@ironbark/core';
import {
  changeMode,
  copyAtomically,
  directoryModeFor,
  ensureDirectory,
  isRegularFile,
  linkAtomically,
  pruneTree,
  removeTree,
  syncDirectories,
  unlinkIfTarget,
  writeAtomically,
} from './atomic-write.ts';
import { checkBootPath, checkNodePath, checkSharedPath, nodeDirectory } from './boot-path.ts';

export type RootName = BootFile['root'];

/** A place in the tree. */
export type BootPlace = Pick<BootFile, 'root' | 'path'>;

export interface BootFileTreeOptions {
  /** Directory per root, absolute; they exist. */
  readonly roots: Readonly<Record<RootName, string>>;
  /** Mode of the nodes' files per root; they may hold credentials. Shared files are readable for everybody. */
  readonly fileModes: Readonly<Record<RootName, number>>;
}

const sharedFileMode = 0o644;

/**
 * The files that machines fetch to boot. Every node has one directory named by its uuid in each root; links outside these
 * directories lead to its files. All paths are checked; nothing is read, written or removed through a symbolic link.
 *
 * Errors: INVALID_PARAMETER for a path that is not allowed, NETBOOT_FILE_FAILED when the file system refuses.
 */
export class BootFileTree {
  readonly #options: BootFileTreeOptions;
  /** Where each file that belongs to no node came from. */
  readonly #sharedSources = new Map<string, string>();

  constructor(options: BootFileTreeOptions) {
    this.#options = options;
  }

  directory(root: RootName): string {
    return this.#options.roots[root];
  }

  /** Writes a node's files and then the links to them. Each is replaced atomically; what is unchanged is not touched. */
  async write(nodeUuid: string, files: readonly BootFile[], links: readonly BootLink[]): Promise<void> {
    for (const file of files) checkNodePath(nodeUuid, file.path);
    for (const link of links) this.#checkLink(nodeUuid, link);
    await this.#attempt(`write the boot files of node ${nodeUuid}`, async () => {
      for (const file of files) await this.#writeFile(file, this.#options.fileModes[file.root]);
      for (const link of links) {
        await this.#ensureDirectoryOf(link);
        await linkAtomically(this.#absolute(link), relativeTarget(link));
      }
      await this.#sync([...files, ...links]);
    });
  }

  /** Copies a file of this host to a place in the node's directory. Readers see what was there before, or all of the new one. */
  async place(nodeUuid: string, place: BootPlace, source: string): Promise<void> {
    checkNodePath(nodeUuid, place.path);
    await this.#attempt(`write ${place.path}`, async () => {
      await this.#ensureDirectoryOf(place);
      await copyAtomically(source, this.#absolute(place), this.#options.fileModes[place.root]);
      await this.#sync([place]);
    });
  }

  /** Leaves a file in the node's directory as it is, with the mode that is configured now. @returns false when it is not there. */
  async keep(nodeUuid: string, place: BootPlace): Promise<boolean> {
    checkNodePath(nodeUuid, place.path);
    let isThere = false;
    await this.#attempt(`set the mode of ${place.path}`, async () => {
      await this.#ensureDirectoryOf(place);
      isThere = await changeMode(this.#absolute(place), this.#options.fileModes[place.root]);
    });
    return isThere;
  }

  /** Whether a regular file, or a link to one, is there. */
  async has(place: BootPlace): Promise<boolean> {
    checkBootPath(place.path);
    return await isRegularFile(this.#absolute(place));
  }

  /** Removes all but these places from a node's directories, and the directories that are empty then. */
  async prune(nodeUuid: string, kept: readonly BootPlace[]): Promise<void> {
    const name = nodeDirectory(nodeUuid);
    await this.#attempt(`remove old boot files of node ${nodeUuid}`, async () => {
      for (const [root, directory] of Object.entries(this.#options.roots)) {
        const paths = kept.filter((place) => place.root === root).map((place) => join(directory, place.path));
        await pruneTree(join(directory, name), new Set(paths));
      }
    });
  }

  /** Copies a file of this host to a place that belongs to no node. @throws CONFIG_INVALID when something else was put there before. */
  async placeShared(place: BootPlace, source: string): Promise<void> {
    checkSharedPath(place.path);
    this.#claim(place, source);
    await this.#attempt(`copy ${source} to ${place.path}`, async () => {
      await this.#ensureDirectoryOf(place);
      await copyAtomically(source, this.#absolute(place), sharedFileMode);
    });
  }

  /** Writes a file that belongs to no node. @throws CONFIG_INVALID when a file of this host was put there before. */
  async writeShared(file: BootFile): Promise<void> {
    checkSharedPath(file.path);
    this.#claim(file, 'a file that Ironbark writes');
    await this.#attempt(`write ${file.path}`, () => this.#writeFile(file, sharedFileMode));
  }

  /** Removes links of a node. A link that meanwhile leads elsewhere belongs to somebody else and stays. */
  async removeLinks(nodeUuid: string, links: readonly BootLink[]): Promise<void> {
    for (const link of links) this.#checkLink(nodeUuid, link);
    await this.#attempt(`remove the boot links of node ${nodeUuid}`, async () => {
      for (const link of links) await unlinkIfTarget(this.#absolute(link), relativeTarget(link));
      await this.#sync(links);
    });
  }

  /** Removes links of a node and its directories with all that is in them. Safe to repeat. */
  async remove(nodeUuid: string, links: readonly BootLink[]): Promise<void> {
    const name = nodeDirectory(nodeUuid);
    await this.removeLinks(nodeUuid, links);
    await this.#attempt(`remove the boot files of node ${nodeUuid}`, async () => {
      const roots = Object.values(this.#options.roots);
      for (const root of roots) await removeTree(join(root, name));
      await syncDirectories(roots);
    });
  }

  #checkLink(nodeUuid: string, link: BootLink): void {
    checkSharedPath(link.path);
    checkNodePath(nodeUuid, link.target);
  }

  #claim({ root, path }: BootPlace, source: string): void {
    const key = `${root}/${path}`;
    const other = this.#sharedSources.get(key) ?? source;
    if (other !== source) {
      throw new IronbarkError(
        'CONFIG_INVALID',
        `${source} and ${other} would both be ${path} in ${this.directory(root)}.`,
        {
          hint: 'Give one of them another name, and use it in the loaders of settings.ipxe or settings.grub.',
        },
      );
    }
    this.#sharedSources.set(key, source);
  }

  async #ensureDirectoryOf({ root, path }: BootPlace): Promise<void> {
    const mode = directoryModeFor(this.#options.fileModes[root]);
    await ensureDirectory(this.directory(root), posix.dirname(path), mode);
  }

  /** The journal may say that these places are done only once the file system would say so after a power failure. */
  async #sync(places: readonly BootPlace[]): Promise<void> {
    const directories = places.flatMap(({ root, path }) => {
      const names = path.split('/');
      return names.map((_, depth) => join(this.directory(root), ...names.slice(0, depth)));
    });
    await syncDirectories(directories);
  }

  async #writeFile(file: BootFile, mode: number): Promise<void> {
    await this.#ensureDirectoryOf(file);
    await writeAtomically(this.#absolute(file), file.content.reveal(), mode);
  }

  #absolute(entry: BootPlace): string {
    return join(this.directory(entry.root), entry.path);
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isIronbarkError(error)) throw error;
      const roots = Object.values(this.#options.roots).join(' and ');
      throw new IronbarkError('NETBOOT_FILE_FAILED', `Could not ${what}: ${(error as Error).message}.`, {
        cause: error,
        hint: `Check that the conductor may write to ${roots} and that there is space.`,
      });
    }
  }
}

/** Links are relative, so that a web server may see the root under another path. */
function relativeTarget(link: BootLink): string {
  return posix.relative(posix.dirname(link.path), link.target);
}
