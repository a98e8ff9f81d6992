import { SecretText } from '@ironbark/core';
import { scriptText, type Line } from '../ipxe/script-text.ts';
import type { KernelParameter } from '../kernel/kernel-parameter.ts';
import { grubArgument, grubKernelArguments } from './grub-value.ts';

export interface GrubEntry {
  /** Name of the menu entry. */
  readonly title: 'boot_iscsi' | 'boot_ramdisk';
  /** Files as GRUB names them, with their device. */
  readonly kernel: string;
  readonly ramdisk: string;
  readonly parameters: readonly KernelParameter[];
  /** Whether the kernel is told the network card that GRUB was started from, as `BOOTIF`. */
  readonly namesCard: boolean;
}

export interface GrubOptions {
  /** How long the menu waits before it boots. */
  readonly menuTimeoutSeconds: number;
  readonly rebootDelaySeconds: number;
}

const bootif = '"BOOTIF=01-${net_default_mac}"';
/** `BOOTIF=01-` and a MAC address. */
const bootifBytes = 28;

/**
 * Renders the configuration of a node that boots a kernel over the network. Pure. When a file cannot be fetched, the machine says so
 * and starts over after a while, so that it comes up by itself once its servers do. The entry does not return before: GRUB would start
 * a kernel without its ramdisk.
 * @throws INVALID_PARAMETER naming the value that GRUB or the kernel would read as something else.
 */
export function renderGrubConfig(entry: GrubEntry, options: GrubOptions): SecretText {
  const { title, namesCard } = entry;
  const kernel = grubArgument(entry.kernel, 'path of the kernel');
  const ramdisk = grubArgument(entry.ramdisk, 'path of the ramdisk');
  const reserved = `BOOT_IMAGE=${entry.kernel} `.length + (namesCard ? bootifBytes : 0);
  const parameters = grubKernelArguments(entry.parameters, reserved);
  const linux = SecretText.join([`  if linux ${kernel}`, ...parameters, ...(namesCard ? [bootif] : [])], ' ');
  const main: readonly Line[] = [
    `menuentry '${title}' --id '${title}' {`,
    "  echo 'Loading the kernel and its ramdisk.'",
    SecretText.join([linux, '; then'], ''),
    `    if initrd ${ramdisk}; then`,
    '      boot',
    '    fi',
    '  fi',
    ...rebootLines('The kernel or its ramdisk could not be fetched, or does not start.', options).map(
      (line) => `  ${line}`,
    ),
    '}',
  ];
  return scriptText([[`set default='${title}'`, `set timeout='${options.menuTimeoutSeconds}'`], main]);
}

/** Where firmware looks for the boot loader of a disk that it has no boot entry for: UEFI specification, section 3.5.1.1. */
const diskLoaders = ['/EFI/BOOT/BOOTX64.EFI', '/EFI/BOOT/BOOTAA64.EFI'];

/**
 * The configuration of a machine that is to boot from its disk: GRUB starts the disk's boot loader. Where it finds none, or has no
 * modules for it, it ends. Firmware then goes on to its next boot device only when it is told of a failure, which not every GRUB can.
 */
export function renderGrubDiskBoot(): SecretText {
  return scriptText([
    ["set default='boot_whole_disk'"],
    [
      `for loader in ${diskLoaders.join(' ')}; do`,
      '  if search --no-floppy --set=root --file "${loader}"; then',
      '    if chainloader "${loader}"; then',
      '      boot',
      '    fi',
      '  fi',
      'done',
      'exit 1',
    ],
  ]);
}

/** Says why and starts the machine over. @param reason without quotes of GRUB's. */
export function rebootLines(
  reason: string,
  { rebootDelaySeconds }: Pick<GrubOptions, 'rebootDelaySeconds'>,
): readonly string[] {
  return [
    `echo "${reason}"`,
    `echo 'Rebooting in ${rebootDelaySeconds} seconds.'`,
    `sleep ${rebootDelaySeconds}`,
    'reboot',
  ];
}
