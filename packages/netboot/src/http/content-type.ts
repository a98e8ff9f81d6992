import { basename, extname } from 'node:path';

const text = 'text/plain; charset=utf-8';

const byExtension: Readonly<Record<string, string>> = {
  '.ipxe': text,
  '.cfg': text,
  '.conf': text,
  '.txt': text,
  '.json': 'application/json',
  '.efi': 'application/efi',
  '.iso': 'application/x-iso9660-image',
  '.gz': 'application/gzip',
};

/** Media type of a boot file. A node's `config` is a script; kernels and ramdisks are just bytes. */
export function contentTypeOf(path: string): string {
  if (basename(path) === 'config') return text;
  return byExtension[extname(path).toLowerCase()] ?? 'application/octet-stream';
}
