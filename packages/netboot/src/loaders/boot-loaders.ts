import { isAbsolute } from 'node:path';
import { explain, firmwareRequestOf, isIronbarkError, type DhcpBoot, type Logger, type Node } from '@ironbark/core';
import type { Netboot } from '../netboot-service.ts';
import { loaderArchitectures, loaderName, type LoaderArchitecture, type LoaderSettings } from './loader-options.ts';

/** Values of `properties.cpu_arch` that name 64-bit ARM. */
const armNames = new Set(['aarch64', 'arm64']);

/** The boot loaders of a boot driver: the binaries that firmware fetches by TFTP or HTTP before anything else. */
export class BootLoaders {
  readonly #netboot: Pick<Netboot, 'tree' | 'dhcp' | 'httpUrl'>;
  readonly #settings: LoaderSettings;

  constructor(netboot: Pick<Netboot, 'tree' | 'dhcp' | 'httpUrl'>, settings: LoaderSettings) {
    this.#netboot = netboot;
    this.#settings = settings;
  }

  /**
   * Copies the loaders that are files of this host into both roots. One that cannot be read is logged and left out.
   * @throws CONFIG_INVALID when another file has the name already.
   */
  async install(log: Logger): Promise<void> {
    for (const source of new Set(Object.values(this.#settings))) {
      if (!isAbsolute(source)) continue;
      for (const root of ['http', 'tftp'] as const) {
        try {
          await this.#netboot.tree.placeShared({ root, path: loaderName(source) }, source);
        } catch (error) {
          if (isIronbarkError(error, 'CONFIG_INVALID')) throw error;
          log.warn({ loader: source, root, reason: explain(error) }, 'A boot loader could not be installed.');
        }
      }
    }
  }

  /** Path of the loader in the roots; null when none is configured. */
  nameOf(architecture: LoaderArchitecture): string | null {
    const setting = this.#settings[architecture];
    return setting === undefined ? null : loaderName(setting);
  }

  /** URL of the loader in the HTTP root; null when there is none or the URL of the root is not known. */
  urlOf(architecture: LoaderArchitecture): string | null {
    const name = this.nameOf(architecture);
    return name === null || this.#netboot.httpUrl === null ? null : `${this.#netboot.httpUrl}/${name}`;
  }

  /** What firmware is to fetch, by the way it boots. */
  get bootFiles(): DhcpBoot['bootFiles'] {
    const files = [
      ['bios', this.nameOf('bios')],
      ['uefi-x86_64', this.nameOf('uefi-x86_64')],
      ['uefi-arm64', this.nameOf('uefi-arm64')],
      ['http-x86_64', this.urlOf('uefi-x86_64')],
      ['http-arm64', this.urlOf('uefi-arm64')],
    ] as const;
    return Object.fromEntries(files.filter(([, file]) => file !== null));
  }

  /**
   * What is missing for this node, as sentences: a loader for the root when its machine could run none of those that are there. By
   * TFTP only when our DHCP configuration names the loaders; otherwise they may lie elsewhere.
   */
  async warningsFor(node: Node, root: 'http' | 'tftp'): Promise<readonly string[]> {
    if (root === 'tftp' && this.#netboot.dhcp === null) return [];
    // No legacy BIOS fetches its loader by HTTP.
    const architectures = architecturesOf(node).filter((one) => root === 'tftp' || one !== 'bios');
    const names = architectures.flatMap((architecture) => this.nameOf(architecture) ?? []);
    for (const path of names) if (await this.#netboot.tree.has({ root, path })) return [];
    const kinds = architectures.join(' or ');
    if (names.length === 0) return [`No boot loader is configured for machines of the architecture ${kinds}.`];
    const directory = this.#netboot.tree.directory(root);
    return [
      `The boot loader ${names.join(' or ')}, which machines of the architecture ${kinds} fetch, is not in ${directory}.`,
    ];
  }
}

/** What the machine may be, as far as the records tell. */
export function architecturesOf(node: Node): readonly LoaderArchitecture[] {
  const mode = firmwareRequestOf(node).bootMode ?? node.bootMode;
  const arch = node.properties['cpu_arch'];
  const isArm = typeof arch === 'string' ? armNames.has(arch) : undefined;
  return loaderArchitectures.filter((architecture) => {
    if (mode !== null && (mode === 'bios') !== (architecture === 'bios')) return false;
    return isArm === undefined || (architecture === 'uefi-arm64') === isArm;
  });
}
