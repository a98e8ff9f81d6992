import {
  foreseeBootSource,
  IronbarkError,
  type BootArtifacts,
  type BootInterface,
  type BootRequest,
  type DhcpBoot,
  type InstanceImage,
  type Port,
  type Task,
} from '@ironbark/core';
import {
  pxePorts,
  renderGrubConfig,
  renderGrubDiskBoot,
  type BootLoaders,
  type BootPublisher,
  type Netboot,
} from '@ironbark/netboot';
import { configPath, linksOfPort } from './boot-links.ts';
import type { GrubSettings } from './options.ts';
import { checkServing, serveKernel, type Serving } from './served-kernel.ts';

export interface GrubServices {
  readonly netboot: Pick<Netboot, 'httpUrl'>;
  readonly loaders: Pick<BootLoaders, 'bootFiles' | 'warningsFor'>;
  readonly publisher: Pick<BootPublisher, 'apply' | 'cleanUp'>;
  /** Looks up the kernel and the ramdisk that an instance asks for. */
  describeImage(task: Task): Promise<InstanceImage>;
}

/**
 * Boots machines by UEFI PXE with GRUB, for network cards that iPXE does not know. GRUB cannot read iSCSI volumes: it starts a kernel
 * and a ramdisk of the instance's image, and the ramdisk logs in to the volume by what the kernel's command line says.
 */
export class PxeGrubBoot implements BootInterface {
  readonly capabilities = ['iscsi_volume_boot', 'ramdisk_boot', 'pxe_boot', 'kernel_from_image', 'uefi_only'] as const;
  readonly properties = {
    kernel_append_params: {
      description: 'Kernel parameters of what is served, instead of those of the settings; %default% stands for these.',
    },
  };
  readonly #services: GrubServices;
  readonly #settings: GrubSettings;

  constructor(services: GrubServices, settings: GrubSettings) {
    this.#services = services;
    this.#settings = settings;
  }

  /**
   * Needs a PXE-enabled port, and kernel, ramdisk and root of the image; a machine that boots by its host bus adapter needs nothing.
   * Renders what is known of what the node boots, so that a value that does not fit into a configuration is refused before anything
   * is attached.
   */
  async validate(task: Task): Promise<readonly string[]> {
    const source = await foreseeBootSource(task);
    if (source?.kind === 'hba') return [];
    pxePorts(task).forEach(linksOfPort);
    if (source === null) checkServing(this.#serving(task));
    const missing = source?.kind === 'local_disk' ? [] : await this.#services.loaders.warningsFor(task.node, 'tftp');
    return [...missing, ...(source === null ? [] : this.render(task, { source, reportUrl: null }).warnings)];
  }

  async describeImage(task: Task): Promise<InstanceImage> {
    return await this.#services.describeImage(task);
  }

  render(task: Task, { source }: BootRequest): BootArtifacts {
    switch (source.kind) {
      case 'hba':
        return { files: [], links: [], bootDevice: 'disk', warnings: [] };
      case 'local_disk':
        return { ...this.#configured(task, renderGrubDiskBoot()), bootDevice: 'disk', warnings: [] };
      case 'iscsi':
      case 'ramdisk': {
        const { entry, images, warnings } = serveKernel(source, this.#serving(task));
        const config = renderGrubConfig(entry, this.#settings.menu);
        return { ...this.#configured(task, config), images, bootDevice: 'pxe', warnings };
      }
      case 'fibre_channel':
      case 'nfs':
      case 'iso':
        break;
    }
    throw new IronbarkError('UNSUPPORTED', `GRUB cannot boot ${names[source.kind]}.`, {
      hint: 'Use the boot interface ipxe.',
    });
  }

  async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    await this.#services.publisher.apply(task, artifacts);
  }

  async cleanUp(task: Task): Promise<void> {
    await this.#services.publisher.cleanUp(task);
  }

  #serving({ node }: Task): Serving {
    return { node, settings: this.#settings, httpUrl: this.#services.netboot.httpUrl };
  }

  #configured(task: Task, content: BootArtifacts['files'][number]['content']) {
    const ports = pxePorts(task);
    return {
      files: [{ root: 'tftp', path: configPath(task.node.uuid), content }],
      links: ports.flatMap(linksOfPort),
      dhcp: ports.map((port) => this.#dhcpBoot(port)),
    } as const;
  }

  /** GRUB is loaded by PXE only, and not by machines in legacy BIOS mode. */
  #dhcpBoot({ uuid, address }: Port): DhcpBoot {
    const { bootFiles } = this.#services.loaders;
    const served = (['uefi-x86_64', 'uefi-arm64'] as const).flatMap((client) => {
      const file = bootFiles[client];
      return file === undefined ? [] : [[client, file] as const];
    });
    return { portUuid: uuid, macAddress: address, bootFiles: Object.fromEntries(served) };
  }
}

const names = {
  fibre_channel: 'from a Fibre Channel volume',
  nfs: 'from an NFS root',
  iso: 'an ISO image',
} as const;
