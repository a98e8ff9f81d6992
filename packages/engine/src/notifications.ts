import { randomUUID } from 'node:crypto';
import {
  explain,
  timestamp,
  type Hooks,
  type Info,
  type Logger,
  type Node,
  type Notification,
  type VolumeConnector,
  type VolumeTarget,
} from '@ironbark/core';
import type { EventLog } from './events.ts';
import { withinBound } from './hook-call.ts';

export type NotificationStatus = 'start' | 'success' | 'end' | 'error';

/** Publishes what happens as versioned events, through the `notification` hook and the event stream. */
export interface Notifier {
  node(action: keyof typeof payloads, status: NotificationStatus, node: Node, facts?: Info): Promise<void>;
  volumeConnector(action: CrudAction, status: NotificationStatus, record: VolumeConnector): Promise<void>;
  volumeTarget(action: CrudAction, status: NotificationStatus, record: VolumeTarget): Promise<void>;
}

export type CrudAction = 'create' | 'update' | 'delete';

const payloads = {
  power_set: { name: 'NodeSetPowerStatePayload', version: '1.16' },
  power_state_corrected: { name: 'NodeCorrectedPowerStatePayload', version: '1.16' },
  provision_set: { name: 'NodeSetProvisionStatePayload', version: '1.18' },
  storage_attach: { name: 'NodeStoragePayload', version: '1.0' },
  storage_detach: { name: 'NodeStoragePayload', version: '1.0' },
} as const;

export function createNotifier(hostname: string, hooks: Hooks, events: EventLog, log: Logger): Notifier {
  const publish = async (
    nodeUuid: string,
    eventType: string,
    status: NotificationStatus,
    payload: Notification['payload'],
  ) => {
    const notification: Notification = {
      messageId: randomUUID(),
      publisherId: `ironbark-conductor.${hostname}`,
      eventType: `baremetal.${eventType}.${status}`,
      priority: status === 'error' ? 'ERROR' : 'INFO',
      timestamp: timestamp(),
      payload,
    };
    events.emit('notification', nodeUuid, { event_type: notification.eventType });
    try {
      await withinBound(hooks.notification.promise(notification));
    } catch (error) {
      log.warn(
        { error: explain(error), event: notification.eventType, node: nodeUuid },
        'a tap of the notification hook failed',
      );
    }
  };
  return {
    node: (action, status, node, facts = {}) =>
      publish(node.uuid, `node.${action}`, status, { ...payloads[action], data: { ...nodePayload(node), ...facts } }),
    volumeConnector: (action, status, record) =>
      publish(record.nodeUuid, `volumeconnector.${action}`, status, {
        name: 'VolumeConnectorCRUDPayload',
        version: '1.0',
        data: {
          uuid: record.uuid,
          node_uuid: record.nodeUuid,
          type: record.type,
          connector_id: record.connectorId,
          extra: record.extra,
        },
      }),
    volumeTarget: (action, status, record) =>
      publish(record.nodeUuid, `volumetarget.${action}`, status, {
        name: 'VolumeTargetCRUDPayload',
        version: '1.0',
        data: {
          uuid: record.uuid,
          node_uuid: record.nodeUuid,
          volume_type: record.volumeType,
          boot_index: record.bootIndex,
          volume_id: record.volumeId,
          properties: record.properties,
          extra: record.extra,
        },
      }),
  };
}

function nodePayload(node: Node): Info {
  return {
    uuid: node.uuid,
    name: node.name,
    driver: node.driver,
    instance_uuid: node.instanceUuid,
    power_state: node.powerState,
    target_power_state: node.targetPowerState,
    provision_state: node.provisionState,
    target_provision_state: node.targetProvisionState,
    last_error: node.lastError,
    maintenance: node.maintenance,
    resource_class: node.resourceClass,
    owner: node.owner,
    lessee: node.lessee,
    storage_interface: node.interfaces.storage,
    boot_interface: node.interfaces.boot,
  };
}
