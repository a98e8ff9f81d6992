import type { CapabilityTag } from '../driver/capability-tags.ts';
import type { Task } from '../driver/task.ts';
import type { Node } from '../model/node.ts';
import type { VolumeConnector, VolumeTarget } from '../model/volume.ts';

/** All that decides what a node boots from. */
export interface BootSituation {
  readonly node: Pick<Node, 'uuid' | 'properties' | 'instanceInfo' | 'driverInternalInfo' | 'bootMode'>;
  readonly volumeTargets: readonly VolumeTarget[];
  readonly volumeConnectors: readonly VolumeConnector[];
  readonly storage: InterfaceFacts & {
    /** What the storage interface answers to `shouldWriteImage`. */
    readonly writesImage: boolean;
  };
  readonly boot: InterfaceFacts;
  readonly deploy: InterfaceFacts;
}

interface InterfaceFacts {
  readonly name: string;
  readonly capabilities?: readonly CapabilityTag[];
}

export function bootSituationOf(task: Task): BootSituation {
  const { node, volumeTargets, volumeConnectors, driver } = task;
  const factsOf = (kind: 'storage' | 'boot' | 'deploy'): InterfaceFacts => {
    return { name: driver.names[kind], capabilities: driver[kind].capabilities ?? [] };
  };
  return {
    node,
    volumeTargets,
    volumeConnectors,
    storage: { ...factsOf('storage'), writesImage: driver.storage.shouldWriteImage(task) },
    boot: factsOf('boot'),
    deploy: factsOf('deploy'),
  };
}
