import type { Info } from './info.ts';
import type { Timestamp } from './timestamp.ts';

/** A versioned event, in the shape of the Bare Metal service's notifications. Secrets in the payload print masked. */
export interface Notification {
  readonly messageId: string;
  /** `ironbark-conductor.<host>` or `ironbark-api.<host>`. */
  readonly publisherId: string;
  /** `baremetal.<object>.<action>.<status>`, for example `baremetal.node.power_set.end`. */
  readonly eventType: string;
  readonly priority: 'INFO' | 'WARNING' | 'ERROR';
  readonly timestamp: Timestamp;
  readonly payload: NotificationPayload;
}

export interface NotificationPayload {
  /** Name of the payload's schema, for example `NodeSetPowerStatePayload`. */
  readonly name: string;
  /** Version of the schema: a minor adds keys, a major changes them. */
  readonly version: string;
  readonly data: Info;
}
