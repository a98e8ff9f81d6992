import { isIP } from 'node:net';
import {
  missingParameter,
  type BootImage,
  type IscsiBoot,
  type Node,
  type RamdiskBoot,
  type ServedKernel,
  type ServedSystem,
} from '@ironbark/core';
import {
  appendParams,
  grubKernelArguments,
  httpDevice,
  iscsiParameters,
  nameOf,
  ramdiskArguments,
  tftpDevice,
  type GrubDevice,
  type GrubEntry,
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
  const append = appendParams(node, settings.kernelAppendParams, checkArguments);
  if (source.kind === 'ramdisk') {
    const parameters = [
      'root=/dev/ram0',
      'text',
      ...append,
      ...ramdiskArguments(node, checkArguments),
      ...source.parameters,
    ];
    const { kernel, ramdisk, images } = place(source, serving);
    return { entry: { title: 'boot_ramdisk', kernel, ramdisk, parameters, namesCard: true }, images, warnings: [] };
  }
  const { system } = source;
  if (system === null) {
    throw missingParameter(`Node ${node.uuid} has no kernel: GRUB cannot read that of the volume.`, {
      hint: 'Set instance_info.kernel and instance_info.ramdisk, or give an image_source whose image has the properties kernel_id and ramdisk_id.',
    });
  }
  const own = new Set(append.map(nameOf));
  const login = iscsiParameters(source, system);
  const ours = login.parameters.filter(
    (parameter) => !own.has(nameOf(parameter)) || !replaceable.has(nameOf(parameter)),
  );
  const { kernel, ramdisk, images } = place(system, serving);
  const namesCard = !own.has('ip') && !own.has('BOOTIF') && !takesSeveralCards(source, system);
  const entry: GrubEntry = { title: 'boot_iscsi', kernel, ramdisk, parameters: ['ro', ...append, ...ours], namesCard };
  const warnings = [...login.warnings, ...portalWarnings(source, own), ...credentialWarnings(source)];
  return { entry, images, warnings };
}

/**
 * Refuses what can be told before the connection of the volume is known: parameters of the node, the place of kernels.
 * @throws as {@link serveKernel}.
 */
export function checkServing({ node, settings, httpUrl }: Serving): void {
  appendParams(node, settings.kernelAppendParams, checkArguments);
  deviceFor(settings.kernelTransport, httpUrl);
}

function checkArguments(parameters: readonly string[], where: string): void {
  grubKernelArguments(parameters, 0, where);
}

/** Parameters of ours that a node's own take the place of, although ours stand behind them. */
const replaceable: ReadonlySet<string> = new Set(['ip', 'iscsi_target_group']);

/**
 * Whether the ramdisk is to bring up more cards than that which the machine booted from: dracut reaches further paths of the volume
 * through them. Otherwise the one card is enough, and a card of another network could take the route to the target.
 */
function takesSeveralCards({ volume }: IscsiBoot, { initramfsType }: ServedSystem): boolean {
  return volume.connection.paths.length > 1 && initramfsType !== 'initramfs-tools';
}

function place({ kernel, ramdisk }: ServedKernel, { node, settings, httpUrl }: Serving) {
  const root = settings.kernelTransport;
  const device = deviceFor(root, httpUrl);
  const paths = { kernel: `${node.uuid}/kernel`, ramdisk: `${node.uuid}/ramdisk` };
  const images: readonly BootImage[] = [
    { root, path: paths.kernel, image: kernel },
    { root, path: paths.ramdisk, image: ramdisk },
  ];
  return { kernel: `${device}/${paths.kernel}`, ramdisk: `${device}/${paths.ramdisk}`, images };
}

function deviceFor(transport: GrubSettings['kernelTransport'], httpUrl: string | null): GrubDevice {
  return transport === 'tftp' ? tftpDevice : httpDevice(required(httpUrl));
}

function required(httpUrl: string | null): string {
  if (httpUrl !== null) return httpUrl;
  throw missingParameter('The URL of the boot files is not known.', {
    hint: 'Set settings.netboot.http_url to the URL under which machines reach the HTTP root, or settings.grub.kernel_transport to tftp.',
  });
}

/** What ramdisks commonly cannot do with the address of a target. */
function portalWarnings({ volume }: IscsiBoot, own: ReadonlySet<string>): readonly string[] {
  const { targetUuid, connection } = volume;
  const hosts = new Set(connection.paths.map(({ portal }) => portal.host));
  return [...hosts].flatMap((host) => {
    const what = `The portal ${host} of volume target ${targetUuid}`;
    if (isIP(host) === 0) return [`${what} is a name, and many ramdisks have no resolver: an address is safer.`];
    if (isIP(host) === 4 || own.has('ip')) return [];
    return [
      `${what} is an IPv6 address, and ip=dhcp gives the ramdisk an IPv4 address: add a parameter ip to kernel_append_params (for dracut ip=auto6).`,
    ];
  });
}

function credentialWarnings({ volume }: IscsiBoot): readonly string[] {
  if (volume.connection.chap === null) return [];
  return [
    `The CHAP credentials of volume target ${volume.targetUuid} cross the network by TFTP in clear, and every user of the machine can read them in /proc/cmdline.`,
  ];
}
