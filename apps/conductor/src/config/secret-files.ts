import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { explain, IronbarkError, isSecretKey } from '@ironbark/core';
import { isTree } from './environment.ts';

const suffix = '_file';

/**
 * Replaces `<key>_file: path` by `<key>: <content>` at any depth, where the key names a credential (`password`, `token` …). One line
 * break at the end of the file is not part of the secret. Relative paths start at the site.
 * @param where names the value in error messages, for example `settings`.
 * @throws CONFIG_INVALID when the file cannot be read, or both keys are given.
 */
export function readSecretFiles(value: unknown, siteDirectory: string, where: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => readSecretFiles(item, siteDirectory, `${where}.${index}`));
  }
  if (!isTree(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
    const option = key.slice(0, -suffix.length);
    if (!key.endsWith(suffix) || !isSecretKey(option)) {
      return [key, readSecretFiles(item, siteDirectory, `${where}.${key}`)];
    }
    if (option in value) {
      throw new IronbarkError('CONFIG_INVALID', `${where}.${option} and ${where}.${key} are both given.`, {
        hint: 'Remove one of them.',
      });
    }
    return [option, readSecret(item, siteDirectory, `${where}.${key}`)];
  });
  return Object.fromEntries(entries);
}

function readSecret(path: unknown, siteDirectory: string, where: string): string {
  if (typeof path !== 'string' || path === '') {
    throw new IronbarkError('CONFIG_INVALID', `${where} is no path.`, {
      hint: 'Give the path of a file with the secret.',
    });
  }
  try {
    return readFileSync(resolve(siteDirectory, path), 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new IronbarkError('CONFIG_INVALID', `${where} cannot be read: ${explain(cause)}.`, {
      hint: 'Make the file readable for the conductor.',
      cause,
    });
  }
}
