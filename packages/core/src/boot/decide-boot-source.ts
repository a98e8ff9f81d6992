import { invalidParameter } from '../errors.ts';
import { isCapabilitySet, parseCapabilities } from '../model/capabilities.ts';
import type { Node } from '../model/node.ts';
import type { VolumeTarget } from '../model/volume.ts';
import type { VolumeConnection } from '../volume/connection.ts';
import type { Initiator } from '../volume/initiator.ts';
import type { BootSource, BootVolume } from './boot-source.ts';

export interface BootDecision {
  readonly node: Pick<Node, 'uuid' | 'properties'>;
  readonly initiator: Initiator;
  /** The node's targets with their connections, in the order of the boot index. */
  readonly volumes: readonly { readonly target: VolumeTarget; readonly connection: VolumeConnection }[];
  /** Whether an image is written to the node's own disk, which it then boots from. */
  readonly writesImage: boolean;
}

/**
 * Decides what a node boots from. Pure; the same answer serves validation, the dry run and the deployment.
 * @throws INVALID_PARAMETER when volumes, connectors and capabilities contradict each other, with the change that solves it.
 */
export function decideBootSource(decision: BootDecision): BootSource {
  const { node, initiator, volumes } = decision;
  const boot = volumes.find(({ target }) => target.bootIndex === 0);
  if (boot === undefined || decision.writesImage) return { kind: 'local_disk' };
  const where = `volume target ${boot.target.uuid} (boot index 0) of node ${node.uuid}`;
  if (boot.connection.kind !== 'iscsi') {
    throw invalidParameter(`Booting from ${where} is not supported: its type is ${boot.connection.kind}.`, {
      hint: 'Use a volume of type "iscsi" for boot index 0.',
    });
  }
  if (!isCapabilitySet(parseCapabilities(node.properties), 'iscsi_boot')) {
    throw invalidParameter(`Node ${node.uuid} has ${where} of type iscsi, but its capability iscsi_boot is not set.`, {
      hint: 'Set it with: openstack baremetal node set --property capabilities=iscsi_boot:True <node>.',
    });
  }
  if (initiator.iqn === null) {
    throw invalidParameter(`Node ${node.uuid} has ${where} of type iscsi, but no volume connector of type iqn.`, {
      hint: 'Create one with: openstack baremetal volume connector create --node <node> --type iqn --connector-id <iqn>.',
    });
  }
  const toBootVolume = (
    connection: typeof boot.connection,
    target: VolumeTarget,
  ): BootVolume<typeof boot.connection> => {
    return { targetUuid: target.uuid, volumeId: target.volumeId, connection };
  };
  const extraVolumes = volumes.flatMap(({ target, connection }) => {
    return target !== boot.target && connection.kind === 'iscsi' ? [toBootVolume(connection, target)] : [];
  });
  return {
    kind: 'iscsi',
    initiatorIqn: initiator.iqn,
    volume: toBootVolume(boot.connection, boot.target),
    extraVolumes,
  };
}
