import {
  missingParameter,
  type BootImage,
  type IscsiBoot,
  type Node,
  type RamdiskBoot,
  type ServedKernel,
} from '@ironbark/core';
import {
  appendParams,
  httpDevice,
  iscsiParameters,
  nameOf,
  ramdiskArguments,
  tftpDevice,
  type GrubEntry,
  type KernelParameter,
} from '@ironbark/netboot';
import type { GrubSettings } from './options.ts';

/** What GRUB boots for a source, and the images that have to be where it looks for them. */
export interface ServedEntry {
  readonly entry: GrubEntry;
  readonly images: readonly BootImage[];
  readonly warnings: readonly string[];
}

export interface Serving {
  readonly node: Node;
  readonly settings: Pick<GrubSettings, 'kernelTransport' | 'kernelAppendParams'>;
  /** URL of the HTTP root. */
  readonly httpUrl: string | null;
}

/**
 * Gives the kernel and the ramdisk of a source their places in the node's directory, and the kernel its parameters. Pure.
 * @throws INVALID_PARAMETER naming the field that GRUB, the kernel or the ramdisk would read as something else; MISSING_PARAMETER when
 *   the source has no kernel or the HTTP root no URL.
 */
export function serveKernel(source: IscsiBoot | RamdiskBoot, serving: Serving): ServedEntry {
  const { node, settings } = serving;
  const append = appendParams(node, settings.kernelAppendParams);
  if (source.kind === 'ramdisk') {
    const parameters = ['root=/dev/ram0', 'text', ...append, ...ramdiskArguments(node), ...source.parameters];
    const { kernel, ramdisk, images } = place(source, serving);
    return { entry: { title: 'boot_ramdisk', kernel, ramdisk, parameters, namesCard: true }, images, warnings: [] };
  }
  const { system } = source;
  if (system === null) {
    throw missingParameter(`Node ${node.uuid} has no kernel: GRUB cannot read that of the volume.`, {
      hint: 'Set instance_info.kernel and instance_info.ramdisk, or give an image_source whose image has the properties kernel_id and ramdisk_id.',
    });
  }
  const login = iscsiParameters(source, system);
  const { kernel, ramdisk, images } = place(system, serving);
  const parameters = ['ro', ...append, ...withoutNetwork(login.parameters, append)];
  const warnings = [...login.warnings, ...credentialWarnings(source)];
  return { entry: { title: 'boot_iscsi', kernel, ramdisk, parameters, namesCard: false }, images, warnings };
}

/** A node's own `ip` configures the network instead of ours: ramdisks take several for several network cards. */
function withoutNetwork(parameters: readonly KernelParameter[], append: readonly string[]): readonly KernelParameter[] {
  const hasOwn = append.some((parameter) => nameOf(parameter) === 'ip');
  return hasOwn ? parameters.filter((parameter) => nameOf(parameter) !== 'ip') : parameters;
}

function place({ kernel, ramdisk }: ServedKernel, { node, settings, httpUrl }: Serving) {
  const root = settings.kernelTransport;
  const device = root === 'tftp' ? tftpDevice : httpDevice(required(httpUrl));
  const paths = { kernel: `${node.uuid}/kernel`, ramdisk: `${node.uuid}/ramdisk` };
  const images: readonly BootImage[] = [
    { root, path: paths.kernel, image: kernel },
    { root, path: paths.ramdisk, image: ramdisk },
  ];
  return { kernel: `${device}/${paths.kernel}`, ramdisk: `${device}/${paths.ramdisk}`, images };
}

function required(httpUrl: string | null): string {
  if (httpUrl !== null) return httpUrl;
  throw missingParameter('The URL of the boot files is not known.', {
    hint: 'Set settings.netboot.http_url to the URL under which machines reach the HTTP root, or settings.grub.kernel_transport to tftp.',
  });
}

function credentialWarnings({ volume }: IscsiBoot): readonly string[] {
  if (volume.connection.chap === null) return [];
  return [
    `The CHAP credentials of volume target ${volume.targetUuid} cross the network by TFTP in clear, and every user of the machine can read them in /proc/cmdline.`,
  ];
}
