import { join, posix } from 'node:path';
import { IronbarkError, isIronbarkError, type BootFile, type BootLink } from '@ironbark/core';
import { ensureDirectory, linkAtomically, removeTree, unlinkIfTarget, writeAtomically } from './atomic-write.ts';
import { checkNodePath, checkSharedPath, nodeDirectory } from './boot-path.ts';

export type RootName = BootFile['root'];

export interface BootFileTreeOptions {
  /** Directory per root, absolute; they exist. */
  readonly roots: Readonly<Record<RootName, string>>;
  /** Mode of the nodes' files, which may hold credentials. Shared files are readable for everybody. */
  readonly fileMode: number;
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
      for (const file of files) await this.#writeFile(file, this.#options.fileMode);
      for (const link of links) {
        await ensureDirectory(this.directory(link.root), posix.dirname(link.path));
        await linkAtomically(this.#absolute(link), relativeTarget(link));
      }
    });
  }

  /** Writes a file that belongs to no node. */
  async writeShared(file: BootFile): Promise<void> {
    checkSharedPath(file.path);
    await this.#attempt(`write ${file.path}`, () => this.#writeFile(file, sharedFileMode));
  }

  /** Removes links of a node. A link that meanwhile leads elsewhere belongs to somebody else and stays. */
  async removeLinks(nodeUuid: string, links: readonly BootLink[]): Promise<void> {
    for (const link of links) this.#checkLink(nodeUuid, link);
    await this.#attempt(`remove the boot links of node ${nodeUuid}`, async () => {
      for (const link of links) await unlinkIfTarget(this.#absolute(link), relativeTarget(link));
    });
  }

  /** Removes links of a node and its directories with all that is in them. Safe to repeat. */
  async remove(nodeUuid: string, links: readonly BootLink[]): Promise<void> {
    const name = nodeDirectory(nodeUuid);
    await this.removeLinks(nodeUuid, links);
    await this.#attempt(`remove the boot files of node ${nodeUuid}`, async () => {
      for (const root of Object.values(this.#options.roots)) await removeTree(join(root, name));
    });
  }

  #checkLink(nodeUuid: string, link: BootLink): void {
    checkSharedPath(link.path);
    checkNodePath(nodeUuid, link.target);
  }

  async #writeFile(file: BootFile, mode: number): Promise<void> {
    await ensureDirectory(this.directory(file.root), posix.dirname(file.path));
    await writeAtomically(this.#absolute(file), file.content.reveal(), mode);
  }

  #absolute(entry: BootFile | BootLink): string {
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
