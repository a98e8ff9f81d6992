import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidParameter, IronbarkError } from '@ironbark/core';
import { fakeMachine, type FakeMachine, type MachineStates } from './machine.ts';

/**
 * States in one small file per node. They survive a killed conductor; they are not flushed to the disk, so they do not survive a
 * crash of the operating system. Nothing is kept in memory.
 */
export class DirectoryStates implements MachineStates {
  readonly #directory: string;

  /** @param directory made at the first write. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(nodeUuid: string): Promise<FakeMachine | undefined> {
    const path = this.#pathOf(nodeUuid);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw unusable(path, error);
    }
    try {
      return fakeMachine.parse(JSON.parse(text));
    } catch (error) {
      throw unusable(path, error);
    }
  }

  async write(nodeUuid: string, machine: FakeMachine): Promise<void> {
    const path = this.#pathOf(nodeUuid);
    // The node is locked, so there is one writer; a file that a killed writer left is overwritten by the next one.
    const temporary = `${path}.tmp`;
    const text = JSON.stringify(machine);
    try {
      await writeFile(temporary, text, { mode: 0o600 }).catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        await mkdir(this.#directory, { recursive: true, mode: 0o700 });
        await writeFile(temporary, text, { mode: 0o600 });
      });
      await rename(temporary, path);
    } catch (error) {
      throw unusable(path, error);
    }
  }

  #pathOf(nodeUuid: string): string {
    if (/^[\w-]{1,64}$/.test(nodeUuid)) return join(this.#directory, `${nodeUuid}.json`);
    throw invalidParameter(`Node uuid ${JSON.stringify(nodeUuid)} cannot be part of a file name.`);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function unusable(path: string, cause: unknown): IronbarkError {
  return new IronbarkError('INTERNAL', `The state of a fake machine in ${path} cannot be read or written.`, {
    hint: 'Check settings.fake.state_directory and its permissions; a file that is damaged can be deleted.',
    cause,
  });
}
