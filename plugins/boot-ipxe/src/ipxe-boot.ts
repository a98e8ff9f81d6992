import {
  firmwareRequestOf,
  foreseeBootSource,
  missingParameter,
  type BootArtifacts,
  type BootInterface,
  type BootMode,
  type BootRequest,
  type CapabilityTag,
  type DhcpBoot,
  type InstanceImage,
  type Node,
  type Port,
  type Task,
} from '@ironbark/core';
import {
  appendParams,
  architecturesOf,
  kernelParameters,
  pxePorts,
  renderNodeScript,
  type BootLoaders,
  type BootPublisher,
  type KernelEntry,
  type Netboot,
} from '@ironbark/netboot';
import { isEthernet, linksOfPort, scriptPath } from './boot-links.ts';
import type { IpxeOptions } from './options.ts';
import { publishedSource } from './script-source.ts';

/** Name in the HTTP root of the script that DHCP names. */
export const globalScriptPath = 'boot.ipxe';

/** Parameters that deploy ramdisks get first, as with Ironic. */
const deployParameters = ['selinux=0', 'troubleshoot=0', 'text'];

const capabilities: readonly CapabilityTag[] = [
  'iscsi_volume_boot',
  'fibre_channel_volume_boot',
  'nfs_volume_boot',
  'ramdisk_boot',
  'iso_boot',
  'ipxe_boot',
  'pxe_boot',
];

export interface IpxeServices {
  readonly netboot: Netboot;
  readonly loaders: BootLoaders;
  readonly publisher: BootPublisher;
  /** Looks up the kernel, ramdisk or ISO image that an instance asks for. */
  describeImage(task: Task): Promise<InstanceImage>;
}

/** How the firmware fetches iPXE. */
export type IpxeMethod = 'pxe' | 'uefihttp';

/** Boots machines over the network with iPXE: one script per node, found by the MAC addresses of its PXE-enabled ports. */
export class IpxeBoot implements BootInterface {
  readonly capabilities: readonly CapabilityTag[];
  readonly properties = {
    kernel_append_params: {
      description: 'Kernel parameters of what is served, instead of those of the settings; %default% stands for these.',
    },
  };
  readonly #services: IpxeServices;
  readonly #options: IpxeOptions;
  readonly #method: IpxeMethod;

  constructor(services: IpxeServices, options: IpxeOptions, method: IpxeMethod = 'pxe') {
    this.capabilities = method === 'pxe' ? capabilities : [...capabilities, 'uefi_only'];
    this.#services = services;
    this.#options = options;
    this.#method = method;
  }

  /**
   * Needs a PXE-enabled port and the URL of the boot files; renders what is known of what the node boots, so that a value that does
   * not fit into a script is refused before anything is attached.
   */
  async validate(task: Task): Promise<readonly string[]> {
    const source = await foreseeBootSource(task);
    if (source?.kind === 'hba') return [];
    this.#httpUrl();
    linksOf(pxePorts(task));
    const root = this.#method === 'pxe' ? 'tftp' : 'http';
    const missing = source?.kind === 'local_disk' ? [] : await this.#services.loaders.warningsFor(task.node, root);
    return [...missing, ...(source === null ? [] : this.render(task, { source, reportUrl: null }).warnings)];
  }

  async describeImage(task: Task): Promise<InstanceImage> {
    return await this.#services.describeImage(task);
  }

  render(task: Task, { source, reportUrl }: BootRequest): BootArtifacts {
    if (source.kind === 'hba') return { files: [], links: [], bootDevice: 'disk', warnings: [] };
    const { node } = task;
    const httpUrl = this.#httpUrl();
    const ports = pxePorts(task);
    const links = linksOf(ports);
    const { script, images } = publishedSource(source, {
      node,
      httpUrl,
      appendParams: this.#options.kernelAppendParams,
    });
    const { content, warnings } = renderNodeScript(
      {
        source: script,
        reportUrl,
        bootMode: this.#bootMode(node),
        ramdisk: source.kind === 'iscsi' ? this.#deployRamdisk(node) : undefined,
      },
      this.#options.script,
    );
    const isLocal = source.kind === 'local_disk';
    return {
      files: [{ root: 'http', path: scriptPath(node.uuid), content }],
      links,
      images,
      dhcp: ports.filter(isEthernet).map((port) => this.#dhcpBoot(port, httpUrl)),
      bootDevice: isLocal ? 'disk' : this.#method,
      httpBootUrl: isLocal || this.#method === 'pxe' ? null : this.#loaderUrl(node),
      warnings,
    };
  }

  async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    await this.#services.publisher.apply(task, artifacts);
  }

  async cleanUp(task: Task): Promise<void> {
    await this.#services.publisher.cleanUp(task);
  }

  #httpUrl(): string {
    const { httpUrl } = this.#services.netboot;
    if (httpUrl !== null) return httpUrl;
    throw missingParameter('The URL of the boot files is not known.', {
      hint: 'Set settings.netboot.http_url to the URL under which machines reach the HTTP root.',
    });
  }

  #bootMode(node: Node): BootMode | null {
    return this.#method === 'uefihttp' ? 'uefi' : (firmwareRequestOf(node).bootMode ?? node.bootMode);
  }

  #loaderUrl(node: Node): string {
    const architectures = architecturesOf(node).filter((architecture) => architecture !== 'bios');
    const [url] = architectures.flatMap((architecture) => this.#services.loaders.urlOf(architecture) ?? []);
    if (url !== undefined) return url;
    throw missingParameter(`No iPXE is configured that node ${node.uuid} could fetch by UEFI HTTP boot.`, {
      hint: `Set settings.ipxe.loaders.${architectures[0] ?? 'uefi-x86_64'} to a UEFI build of iPXE.`,
    });
  }

  #dhcpBoot({ uuid, address }: Port, httpUrl: string): DhcpBoot {
    const { bios, ...uefi } = this.#services.loaders.bootFiles;
    const isBios = bios !== undefined && this.#method === 'pxe';
    const bootFiles = { ipxe: `${httpUrl}/${globalScriptPath}`, ...(isBios ? { bios } : {}), ...uefi };
    return { portUuid: uuid, macAddress: address, bootFiles };
  }

  /** The entry for the iPXE shell, beside a volume. */
  #deployRamdisk(node: Node): KernelEntry | undefined {
    const { deployRamdisk, kernelAppendParams } = this.#options;
    if (deployRamdisk === undefined) return undefined;
    const append = appendParams(node, kernelAppendParams, kernelParameters);
    return { ...deployRamdisk, parameters: [...deployParameters, ...append] };
  }
}

function linksOf(ports: readonly Port[]): BootArtifacts['links'] {
  return ports.flatMap(linksOfPort);
}
