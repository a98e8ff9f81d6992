import { checkKernelParameters, parameterField } from '../kernel/kernel-parameter.ts';
import { fetchable } from './fetchable.ts';
import { inexpressible, ipxeText, ipxeWord } from './ipxe-value.ts';
import { retryLines, type RetryOptions } from './retry.ts';
import type { Line } from './script-text.ts';

/** A kernel and its ramdisk at URLs. */
export interface KernelEntry {
  readonly kernelUrl: string;
  readonly ramdiskUrl: string;
  /** One entry each, without quotes. */
  readonly parameters: readonly string[];
}

export interface KernelOptions extends RetryOptions {
  /** A download on which nothing moves for so long has failed. */
  readonly downloadTimeoutSeconds: number;
}

/** What iPXE is to do with an entry. */
export interface KernelLabel {
  readonly label: string;
  /** What is booted, for the console. */
  readonly title: string;
}

/** `initrd=` names the image: kernels that are started through UEFI look for it under that name. */
const ownParameters = 'BOOTIF=${mac} initrd=ramdisk';
/** Bytes of these on the command line, the MAC address filled in. */
const ownBytes = ownParameters.length - '${mac}'.length + '00:00:00:00:00:00'.length + 1;

/** Renders the labels `<label>` and `retry_<label>`: fetches a kernel and a ramdisk and starts them. */
export function kernelSection(
  entry: KernelEntry,
  { label, title }: KernelLabel,
  options: KernelOptions,
): readonly (readonly Line[])[] {
  const timeout = `--timeout ${options.downloadTimeoutSeconds * 1000}`;
  const kernel = fetchable(entry.kernelUrl, 'URL of the kernel');
  const ramdisk = fetchable(entry.ramdiskUrl, 'URL of the ramdisk');
  const commandLine = [...kernelParameters(entry.parameters), ownParameters].join(' ');
  const main: Line[] = [
    `:${label}`,
    'inc i',
    'imgfree',
    `kernel --name kernel ${timeout} ${kernel} ${commandLine} || goto fail_${label}`,
    `initrd --name ramdisk ${timeout} ${ramdisk} || goto fail_${label}`,
    `boot || goto fail_${label}`,
    `:fail_${label}`,
    'set failure ${errno}',
  ];
  const retry = retryLines({
    label: `retry_${label}`,
    entry: label,
    failed: `Failed to boot ${title}`,
    delaySeconds: options.delaySeconds,
  });
  return [main, retry];
}

/**
 * Writes kernel parameters for one line of a script. The kernel takes double quotes around a value with blanks off.
 * @param where names in errors where the parameters come from.
 * @throws INVALID_PARAMETER naming the parameter, never quoting its value.
 */
export function kernelParameters(parameters: readonly string[], where?: string): readonly string[] {
  return checkKernelParameters(parameters, ownBytes, where).map((parameter) => {
    const [, name = '', value = ''] = /^([\w.-]+)=(.*)$/s.exec(parameter) ?? [];
    const field = parameterField(parameter, where);
    if (!parameter.includes(' ')) return ipxeWord(parameter, field);
    if (name === '') throw inexpressible(field, 'holds a blank outside of a value');
    return `${name}="${ipxeText(value, field)}"`;
  });
}
