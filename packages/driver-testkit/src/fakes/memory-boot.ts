import {
  formatPortal,
  IronbarkError,
  Secret,
  secretText,
  SecretText,
  type BootArtifacts,
  type BootInterface,
  type BootRequest,
  type BootSource,
  type CapabilityTag,
  type IscsiConnection,
  type Task,
} from '@ironbark/core';

/** A tree of boot files in memory. Keys are `<root>/<path>`. */
export class MemoryBootTree {
  readonly files = new Map<string, string>();
  readonly links = new Map<string, string>();
  /** Whether it takes nothing more. */
  isFull = false;
}

/** A boot interface for a {@link MemoryBootTree} that keeps the contract; it writes one line of `name="value"` per setting. */
export class MemoryBoot implements BootInterface {
  readonly tree: MemoryBootTree;
  readonly capabilities: readonly CapabilityTag[] = ['iscsi_volume_boot', 'ramdisk_boot', 'ipxe_boot'];

  constructor(tree = new MemoryBootTree()) {
    this.tree = tree;
  }

  async validate(_task: Task): Promise<void> {}

  render(task: Task, request: BootRequest): BootArtifacts {
    const { node } = task;
    const path = `nodes/${node.uuid}/boot.conf`;
    const lines = [...settingsOf(request.source, node.uuid), ...reportOf(request)];
    return {
      files: [{ root: 'http', path, content: SecretText.join(lines, '\n') }],
      links: task.ports
        .filter((port) => port.pxeEnabled)
        .map((port) => ({ root: 'http', path: `by-mac/${port.address.replaceAll(':', '-')}`, target: path })),
      bootDevice: request.source.kind === 'local_disk' ? 'disk' : 'pxe',
      warnings: [],
    };
  }

  async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    await Promise.resolve();
    task.signal.throwIfAborted();
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
    for (const file of artifacts.files) this.tree.files.set(`${file.root}/${file.path}`, file.content.reveal());
    for (const link of artifacts.links) this.tree.links.set(`${link.root}/${link.path}`, link.target);
  }

  async cleanUp(task: Task): Promise<void> {
    await Promise.resolve();
    task.signal.throwIfAborted();
    this.remove(task.node.uuid);
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
    case 'ramdisk':
      return [
        setting('kernel', source.kernelUrl),
        setting('ramdisk', source.ramdiskUrl),
        ...source.parameters.map((parameter) => setting('parameter', parameter)),
      ];
    case 'iscsi': {
      const volumes = [source.volume, ...source.extraVolumes];
      return [
        setting('initiator', source.initiatorIqn),
        ...volumes.flatMap((volume) => iscsiSettings(volume.connection)),
      ];
    }
    case 'fibre_channel':
    case 'nfs':
      break;
  }
  throw new IronbarkError('UNSUPPORTED', `Node ${nodeUuid} cannot boot from a volume of type ${source.kind}.`, {
    hint: 'Choose another boot interface, or a volume of type "iscsi".',
  });
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
