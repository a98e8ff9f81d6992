import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { IronbarkError } from '@ironbark/core';

const keyBytes = 32;

/**
 * Reads the key that secrets at rest are encrypted with.
 * @returns undefined when there is no such file.
 * @throws SECRET_KEY_INVALID when the file holds something else.
 */
export function readKeyFile(path: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new IronbarkError('SECRET_KEY_INVALID', `The key file ${path} cannot be read.`, {
      hint: 'Make it readable for the conductor.',
      cause,
    });
  }
  const key = Buffer.from(text, 'base64');
  if (key.length === keyBytes) return key;
  throw new IronbarkError('SECRET_KEY_INVALID', `The key file ${path} does not hold ${keyBytes} bytes in base64.`, {
    hint: 'Restore the file that belongs to the database.',
  });
}

/** Makes a new key, readable for the owner only. Fails when the file exists. */
export function createKeyFile(path: string): Buffer {
  const key = randomBytes(keyBytes);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  return key;
}
