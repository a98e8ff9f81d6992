import { readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { IronbarkError, type Logger } from '@ironbark/core';

/** `htpasswd -B` writes $2y$; other programs $2a$ or $2b$. All three mean the same. */
const bcryptHash = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/** How long a change of the file may go unnoticed. */
const checkIntervalMs = 2000;

/** Users and their bcrypt hashes from an htpasswd file, read again when the file changes. */
export class HtpasswdFile {
  readonly #path: string;
  readonly #log: Logger;
  #hashes: ReadonlyMap<string, string>;
  #version: string;
  #checkedAt = 0;

  /** @throws CONFIG_INVALID naming the file and the line that cannot be used. */
  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    try {
      const { mtimeMs, size } = statSync(path);
      this.#version = `${mtimeMs}:${size}`;
      this.#hashes = parseHtpasswd(readFileSync(path, 'utf8'), path);
    } catch (cause) {
      if (cause instanceof IronbarkError) throw cause;
      throw invalidFile(`The htpasswd file ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`, cause);
    }
  }

  async hashOf(user: string): Promise<string | undefined> {
    await this.#refresh();
    return this.#hashes.get(user);
  }

  /** A hash of somebody else, so that looking an unknown user up costs as much as a known one; undefined in an empty file. */
  anyHash(): string | undefined {
    const [hash] = this.#hashes.values();
    return hash;
  }

  /** A file that has become unusable is reported; the users that were read last stay valid. */
  async #refresh(): Promise<void> {
    const now = Date.now();
    if (now - this.#checkedAt < checkIntervalMs) return;
    this.#checkedAt = now;
    try {
      const { mtimeMs, size } = await stat(this.#path);
      const version = `${mtimeMs}:${size}`;
      if (version === this.#version) return;
      this.#hashes = parseHtpasswd(readFileSync(this.#path, 'utf8'), this.#path);
      this.#version = version;
    } catch (error) {
      this.#log.error(
        { err: error, path: this.#path },
        'The htpasswd file has changed and cannot be used; the users read before stay',
      );
    }
  }
}

function parseHtpasswd(text: string, path: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const hash = line.slice(colon + 1).trim();
    if (colon < 1 || !bcryptHash.test(hash))
      throw invalidFile(`Line ${index + 1} of the htpasswd file ${path} holds no user with a bcrypt hash.`);
    hashes.set(line.slice(0, colon), hash);
  }
  return hashes;
}

function invalidFile(message: string, cause?: unknown): IronbarkError {
  return new IronbarkError('CONFIG_INVALID', message, {
    hint: 'Write it with "htpasswd -B -c FILE USER" and make it readable for the conductor.',
    cause,
  });
}
