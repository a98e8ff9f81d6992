import type { Info, Timestamp } from '@ironbark/core';

/** A provision verb or power action in progress or done: a list of named steps, stored before the first one runs. */
export interface Operation {
  readonly uuid: string;
  readonly nodeUuid: string;
  /** `deploy`, `undeploy`, `power on` … */
  readonly verb: string;
  readonly state: OperationState;
  readonly steps: readonly Step[];
  /** What the request said (timeouts, steps); secrets are stored encrypted. */
  readonly parameters: Info;
  /** Why it failed; null while it runs and when it succeeded. */
  readonly error: string | null;
  readonly createdAt: Timestamp;
  readonly finishedAt: Timestamp | null;
}

/** `compensating`: a step failed and what the earlier ones did is being taken back. */
export type OperationState = 'running' | 'waiting' | 'compensating' | 'succeeded' | 'failed' | 'aborted';

export interface Step {
  /** `<interface>.<action>`, for example `storage.attach`. */
  readonly name: string;
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped';
  /** Whether the step takes back what others did. */
  readonly compensation: boolean;
  /** How often it was begun; more than once after a crash. */
  readonly attempts: number;
  readonly startedAt: Timestamp | null;
  readonly finishedAt: Timestamp | null;
  readonly error: string | null;
}

/** Something that went wrong with a node, kept for `openstack baremetal node history`. */
export interface HistoryEntry {
  readonly uuid: string;
  readonly nodeUuid: string;
  readonly conductor: string;
  readonly event: string;
  readonly eventType: string;
  readonly severity: 'ERROR' | 'WARNING' | 'INFO';
  readonly user: string | null;
  readonly createdAt: Timestamp;
}
