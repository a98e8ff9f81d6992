import {
  formatImageReference,
  formatPortal,
  IronbarkError,
  parseImageReference,
  Secret,
  secretText,
  SecretText,
  type BootArtifacts,
  type BootImage,
  type BootInterface,
  type BootRequest,
  type BootSource,
  type CapabilityTag,
  type ImageReference,
  type InstanceImage,
  type IscsiConnection,
  type Task,
} from '@ironbark/core';

/** A tree of boot files in memory. Keys are `<root>/<path>`. */
export class MemoryBootTree {
  readonly files = new Map<string, string>();
  readonly links = new Map<string, string>();
  /** What an image service would give, by the reference as text. */
  readonly images: ReadonlyMap<string, Uint8Array>;
  /** Whether it takes nothing more. */
  isFull = false;

  constructor(images: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.images = images;
  }
}

/** A boot interface for a {@link MemoryBootTree} that keeps the contract; it writes one line of `name="value"` per setting. */
export class MemoryBoot implements BootInterface {
  readonly tree: MemoryBootTree;
  readonly capabilities: readonly CapabilityTag[] = [
    'iscsi_volume_boot',
    'nfs_volume_boot',
    'ramdisk_boot',
    'iso_boot',
    'ipxe_boot',
  ];

  constructor(tree = new MemoryBootTree()) {
    this.tree = tree;
  }

  async validate(_task: Task): Promise<void> {}

  async describeImage({ node }: Task): Promise<InstanceImage> {
    await Promise.resolve();
    const read = (key: string): ImageReference | null => {
      const value = node.instanceInfo[key];
      return typeof value === 'string' ? parseImageReference(value, `instance_info.${key} of node ${node.uuid}`) : null;
    };
    return {
      kernel: read('kernel'),
      ramdisk: read('ramdisk'),
      bootIso: read('boot_iso'),
      root: null,
      initramfsType: null,
    };
  }

  render(task: Task, request: BootRequest): BootArtifacts {
    const { node } = task;
    const { source } = request;
    if (source.kind === 'hba') return { files: [], links: [], bootDevice: 'disk', warnings: [] };
    const directory = `nodes/${node.uuid}`;
    const path = `${directory}/boot.conf`;
    const images = imagesOf(source).map(([name, image]): BootImage => ({
      root: 'http',
      path: `${directory}/${name}`,
      image,
    }));
    const lines = [
      ...settingsOf(source, node.uuid),
      ...images.map((image) => setting('image', image.path)),
      ...reportOf(request),
    ];
    const ports = task.ports.filter((port) => port.pxeEnabled);
    return {
      files: [{ root: 'http', path, content: SecretText.join(lines, '\n') }],
      links: ports.map((port) => ({
        root: 'http',
        path: `by-mac/${port.address.replaceAll(':', '-')}`,
        target: path,
      })),
      images,
      dhcp: ports.map(({ uuid, address }) => ({
        portUuid: uuid,
        macAddress: address.toLowerCase(),
        bootFiles: { 'uefi-x86_64': 'loader.efi', 'http-x86_64': 'http://192.0.2.1/loader.efi' },
      })),
      bootDevice: source.kind === 'local_disk' ? 'disk' : 'pxe',
      warnings: [],
    };
  }

  async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    await Promise.resolve();
    task.signal.throwIfAborted();
    const images = (artifacts.images ?? []).map(({ root, path, image }) => ({
      place: `${root}/${path}`,
      content: this.#fetch(image),
    }));
    if (this.tree.isFull) {
      throw new IronbarkError(
        'INTERNAL',
        `The boot files of node ${task.node.uuid} cannot be written: no space left.`,
        {
          hint: 'Free space, and try again.',
        },
      );
    }
    this.remove(task.node.uuid);
    for (const { place, content } of images) this.tree.files.set(place, content);
    for (const file of artifacts.files) this.tree.files.set(`${file.root}/${file.path}`, file.content.reveal());
    for (const link of artifacts.links) this.tree.links.set(`${link.root}/${link.path}`, link.target);
  }

  async cleanUp(task: Task): Promise<void> {
    await Promise.resolve();
    task.signal.throwIfAborted();
    this.remove(task.node.uuid);
  }

  #fetch(image: ImageReference): string {
    const text = formatImageReference(image);
    const bytes = this.tree.images.get(text);
    if (bytes !== undefined) return new TextDecoder().decode(bytes);
    throw new IronbarkError('NOT_FOUND', `There is no image ${text}.`, { hint: 'Name an image that exists.' });
  }

  /** Removes by what the tree holds, not by the ports of today: a port may have been deleted since. */
  protected remove(nodeUuid: string): void {
    const directory = `nodes/${nodeUuid}/`;
    for (const key of this.tree.files.keys()) if (key.startsWith(`http/${directory}`)) this.tree.files.delete(key);
    for (const [key, target] of this.tree.links) if (target.startsWith(directory)) this.tree.links.delete(key);
  }
}

function settingsOf(source: BootSource, nodeUuid: string): readonly SecretText[] {
  switch (source.kind) {
    case 'local_disk':
    case 'hba':
      return [setting('boot', source.kind)];
    case 'iso':
      return [];
    case 'ramdisk':
      return source.parameters.map((parameter) => setting('parameter', parameter));
    case 'nfs': {
      const { server, path, options } = source.connection;
      return [setting('server', server), setting('path', path), ...options.map((option) => setting('option', option))];
    }
    case 'iscsi': {
      const volumes = [source.volume, ...source.extraVolumes];
      return [
        setting('initiator', source.initiatorIqn),
        ...(source.system === null ? [] : [setting('root', source.system.root)]),
        ...volumes.flatMap((volume) => iscsiSettings(volume.connection)),
      ];
    }
    case 'fibre_channel':
      break;
  }
  throw new IronbarkError('UNSUPPORTED', `Node ${nodeUuid} cannot boot from a volume of type ${source.kind}.`, {
    hint: 'Choose another boot interface, or a volume of type "iscsi".',
  });
}

/** What the machine fetches beside its settings, by the name that the file gets. */
function imagesOf(source: BootSource): readonly (readonly [string, ImageReference])[] {
  if (source.kind === 'iso') return [['image.iso', source.image]];
  const served = source.kind === 'iscsi' ? source.system : source;
  if (served === null || !('kernel' in served)) return [];
  return [
    ['kernel', served.kernel],
    ['ramdisk', served.ramdisk],
  ];
}

function iscsiSettings({ paths, chap }: IscsiConnection): readonly SecretText[] {
  const settings = paths.map(({ portal, lun, iqn }) => setting('path', `${formatPortal(portal)} ${lun} ${iqn}`));
  if (chap !== null) settings.push(setting('user', chap.username), secretSetting('password', chap.password));
  if (chap?.mutual) {
    settings.push(setting('mutual user', chap.mutual.username), secretSetting('mutual password', chap.mutual.password));
  }
  return settings;
}

function reportOf({ reportUrl }: BootRequest): readonly SecretText[] {
  return reportUrl === null ? [] : [setting('report', reportUrl.prefix), secretSetting('token', reportUrl.token)];
}

function setting(name: string, value: string): SecretText {
  return secretText`${name}=${JSON.stringify(value)}`;
}

function secretSetting(name: string, value: Secret): SecretText {
  return secretText`${name}=${Secret.lazy(() => JSON.stringify(value.reveal()))}`;
}
