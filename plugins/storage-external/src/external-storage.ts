import {
  bootSituationOf,
  chooseBoot,
  initiatorOf,
  parseVolumeConnection,
  type AttachedVolume,
  type StorageInterface,
  type StoragePlan,
  type Task,
} from '@ironbark/core';

/** Volumes that somebody else exports: the properties of the volume targets say how to reach them, and nothing has to be called. */
export class ExternalStorage implements StorageInterface {
  /** Reads all targets strictly and checks that the node's boot interface, capabilities and connectors let it boot from them. */
  async validate(task: Task): Promise<void> {
    connectionsOf(task);
    if (!this.shouldWriteImage(task)) chooseBoot(bootSituationOf(task));
  }

  async attach(task: Task): Promise<readonly AttachedVolume[]> {
    task.signal.throwIfAborted();
    return connectionsOf(task);
  }

  /** Does nothing: whoever exports the volumes also takes them back. */
  async detach(task: Task): Promise<void> {
    task.signal.throwIfAborted();
  }

  /** As in Ironic: an `image_source` counts when the key is there, whatever its value. */
  shouldWriteImage(task: Task): boolean {
    return (
      Object.hasOwn(task.node.instanceInfo, 'image_source') ||
      !task.volumeTargets.some((target) => target.bootIndex === 0)
    );
  }

  async plan(task: Task): Promise<StoragePlan> {
    const volumes = connectionsOf(task);
    const ignored = volumes
      .filter(({ target, connection }) => target.bootIndex !== 0 && connection.kind !== 'iscsi')
      .map(({ target }) => {
        return `Volume ${target.volumeId} (volume target ${target.uuid}) of type ${target.volumeType} is not attached by the firmware: the operating system must do it.`;
      });
    return { calls: [], volumes, warnings: [...initiatorOf(task.volumeConnectors).warnings, ...ignored] };
  }
}

function connectionsOf(task: Task): readonly AttachedVolume[] {
  return task.volumeTargets.map((target) => {
    const connection = parseVolumeConnection(target.volumeType, target.properties, `volume target ${target.uuid}`);
    return { target, connection };
  });
}
