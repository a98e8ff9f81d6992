import type { RamdiskBoot } from '@ironbark/core';
import { inexpressible, ipxeText, ipxeWord } from './ipxe-value.ts';
import { retryLines, type RetryOptions } from './retry.ts';
import type { Line } from './script-text.ts';

export interface RamdiskOptions extends RetryOptions {
  /** A download on which nothing moves for so long has failed. */
  readonly downloadTimeoutSeconds: number;
}

/** Protocols that common builds of iPXE can fetch from. */
const protocols = ['http:', 'https:', 'ftp:', 'tftp:', 'nfs:'];
/** COMMAND_LINE_SIZE of Linux on x86, less the final NUL. */
const maxCommandLine = 2047;

/** Renders the labels `deploy` and `retry`: fetches a kernel and a ramdisk and starts them. */
export function ramdiskSection(source: RamdiskBoot, options: RamdiskOptions): readonly (readonly Line[])[] {
  const timeout = `--timeout ${options.downloadTimeoutSeconds * 1000}`;
  const kernel = fetchable(source.kernelUrl, 'URL of the kernel');
  const ramdisk = fetchable(source.ramdiskUrl, 'URL of the ramdisk');
  // `initrd=` names the image: kernels that are started through UEFI look for it under that name.
  const commandLine = [...kernelParameters(source.parameters), 'BOOTIF=${mac}', 'initrd=ramdisk'].join(' ');
  const main: Line[] = [
    ':deploy',
    'inc i',
    'imgfree',
    `kernel --name kernel ${timeout} ${kernel} ${commandLine} || goto fail_deploy`,
    `initrd --name ramdisk ${timeout} ${ramdisk} || goto fail_deploy`,
    'boot || goto fail_deploy',
    ':fail_deploy',
    'set failure ${errno}',
  ];
  const retry = retryLines({
    label: 'retry',
    entry: 'deploy',
    failed: 'Failed to boot the ramdisk',
    delaySeconds: options.delaySeconds,
  });
  return [main, retry];
}

function fetchable(url: string, field: string): string {
  const word = ipxeWord(url, field);
  if (URL.canParse(word) && protocols.includes(new URL(word).protocol)) return word;
  throw inexpressible(field, `is no URL of ${protocols.map((protocol) => protocol.slice(0, -1)).join(', ')}`);
}

/**
 * Writes kernel parameters for one line of a script. The kernel takes double quotes around a value with spaces off; it knows no
 * escape, so a value that holds such quotes is refused.
 * @throws INVALID_PARAMETER naming the parameter, never quoting its value.
 */
export function kernelParameters(parameters: readonly string[]): readonly string[] {
  const written = parameters.map((parameter) => {
    const [, name = '', value = ''] = /^([\w.-]+)=(.*)$/s.exec(parameter) ?? [];
    const field = name === '' ? 'kernel parameter' : `kernel parameter ${name}`;
    if (parameter.includes('"')) throw inexpressible(field, 'holds a double quote');
    if (!/\s/u.test(parameter)) return ipxeWord(parameter, field);
    if (name === '') throw inexpressible(field, 'holds a blank outside of a value');
    return `${name}="${ipxeText(value, field)}"`;
  });
  if (Buffer.byteLength(written.join(' ')) > maxCommandLine) {
    throw inexpressible('kernel command line', `is longer than ${maxCommandLine} bytes`);
  }
  return written;
}
