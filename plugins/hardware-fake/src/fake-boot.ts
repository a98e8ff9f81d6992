import {
  formatImageReference,
  isSecret,
  parseImageReference,
  Secret,
  SecretText,
  type BootArtifacts,
  type BootInterface,
  type BootRequest,
  type CapabilityTag,
  type ImageReference,
  type InstanceImage,
  type Task,
} from '@ironbark/core';
import { fakeProperties } from './node-options.ts';
import { RecentMap } from './recent-map.ts';
import type { StepRunner } from './step-runner.ts';

/** Artifacts of one node take a few KB; nobody but tests reads them back. */
const maxNodes = 1000;

/** Boot configuration of a machine that does not exist: the boot source as JSON, kept in memory. */
export class FakeBoot implements BootInterface {
  /** `ipxe_boot` lets the node use storage interfaces that ask for iPXE. */
  readonly capabilities: readonly CapabilityTag[] = [
    'iscsi_volume_boot',
    'fibre_channel_volume_boot',
    'nfs_volume_boot',
    'ramdisk_boot',
    'iso_boot',
    'ipxe_boot',
  ];
  readonly properties = fakeProperties;
  readonly #steps: StepRunner;
  readonly #applied: RecentMap<BootArtifacts>;

  constructor(runner: StepRunner, limit: number = maxNodes) {
    this.#steps = runner;
    this.#applied = new RecentMap(limit);
  }

  /** What was applied and not cleaned up, by the uuid of the node. */
  applied(): ReadonlyMap<string, BootArtifacts> {
    return new Map(this.#applied.entries());
  }

  async validate(task: Task): Promise<void> {
    await Promise.resolve();
    this.#steps.validate(task, 'boot.validate');
  }

  /** What `instance_info` says; there is no image service to ask. */
  async describeImage({ node }: Task): Promise<InstanceImage> {
    await Promise.resolve();
    const textAt = (key: string): string | null => {
      const value = node.instanceInfo[key];
      return typeof value === 'string' ? value : null;
    };
    const imageAt = (key: string): ImageReference | null => {
      const text = textAt(key);
      return text === null ? null : parseImageReference(text, `instance_info.${key} of node ${node.uuid}`);
    };
    const [uuid, label] = [textAt('image_rootfs_uuid'), textAt('image_rootfs_label')];
    return {
      kernel: imageAt('kernel'),
      ramdisk: imageAt('ramdisk'),
      bootIso: imageAt('boot_iso'),
      root: uuid === null ? label && `LABEL=${label}` : `UUID=${uuid}`,
      initramfsType: null,
    };
  }

  render(task: Task, request: BootRequest): BootArtifacts {
    if (request.source.kind === 'hba') return { files: [], links: [], bootDevice: 'disk', warnings: [] };
    const path = `fake/${task.node.uuid}/boot.json`;
    return {
      files: [{ root: 'http', path, content: jsonText(request) }],
      links: [],
      bootDevice: request.source.kind === 'local_disk' ? 'disk' : 'pxe',
      warnings: [],
    };
  }

  async apply(task: Task, artifacts: BootArtifacts): Promise<void> {
    await this.#steps.begin(task, 'boot.apply');
    this.#applied.set(task.node.uuid, artifacts);
  }

  async cleanUp(task: Task): Promise<void> {
    await this.#steps.begin(task, 'boot.clean_up');
    this.#applied.delete(task.node.uuid);
  }
}

/** JSON on one line in which the values of secrets stay secrets. Images are written as people write them. */
function jsonText(value: unknown): SecretText {
  const parts: (string | Secret)[] = [];
  let plain = '';
  const write = (item: unknown): void => {
    if (isSecret(item)) {
      parts.push(plain, quoted(item));
      plain = '';
    } else if (isImageReference(item)) {
      plain += JSON.stringify(formatImageReference(item));
    } else if (typeof item === 'object' && item !== null) {
      const isList = Array.isArray(item);
      plain += isList ? '[' : '{';
      for (const [index, [key, member]] of Object.entries(item).entries()) {
        plain += `${index === 0 ? '' : ','}${isList ? '' : `${JSON.stringify(key)}:`}`;
        write(member);
      }
      plain += isList ? ']' : '}';
    } else {
      plain += JSON.stringify(item);
    }
  };
  write(value);
  return new SecretText([...parts, plain]);
}

function isImageReference(value: unknown): value is ImageReference {
  const kinds: readonly ImageReference['kind'][] = ['glance', 'url', 'file'];
  return typeof value === 'object' && value !== null && 'kind' in value && kinds.some((kind) => kind === value.kind);
}

function quoted(secret: Secret): Secret {
  return Secret.lazy(() => JSON.stringify(secret.reveal()));
}
