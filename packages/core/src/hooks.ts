import { AsyncSeriesHook } from 'tapable';
import type { BootArtifacts } from './boot/boot-source.ts';
import type { Notification } from './notification.ts';
import type { AttachedVolume, AttachmentFinding } from './driver/interfaces.ts';
import type { Task } from './driver/task.ts';
import type { Node } from './model/node.ts';
import type { PowerTarget, ProvisionState } from './model/states.ts';

/** An operation, as hooks and the event stream see it. */
export interface OperationEvent {
  readonly operationUuid: string;
  readonly nodeUuid: string;
  readonly verb: string;
  /** Message of the failure; null while it runs and when it succeeded. */
  readonly error: string | null;
  /** From the request to the end, restarts of the conductor included; null while it runs. */
  readonly durationMs: number | null;
}

/**
 * Extension points beside the driver interfaces, named for what happened. A tap of a `before…` hook that throws stops the action;
 * a tap of any other hook that throws is logged and does no harm, but the taps after it are not called.
 */
export interface Hooks {
  readonly beforePowerChange: AsyncSeriesHook<[Task, PowerTarget]>;
  readonly afterPowerChange: AsyncSeriesHook<[Task, PowerTarget]>;
  readonly beforeAttach: AsyncSeriesHook<[Task]>;
  readonly afterAttach: AsyncSeriesHook<[Task, readonly AttachedVolume[]]>;
  readonly beforeDetach: AsyncSeriesHook<[Task]>;
  readonly afterDetach: AsyncSeriesHook<[Task]>;
  readonly artifactsRendered: AsyncSeriesHook<[Task, BootArtifacts]>;
  readonly provisionStateChanged: AsyncSeriesHook<[Node, ProvisionState]>;
  readonly operationStarted: AsyncSeriesHook<[OperationEvent]>;
  readonly operationFinished: AsyncSeriesHook<[OperationEvent]>;
  readonly operationFailed: AsyncSeriesHook<[OperationEvent]>;
  /** The power state of a node could not be read, with the reason; told at every pass over the nodes. */
  readonly powerSyncFailed: AsyncSeriesHook<[Node, string]>;
  /** All nodes were compared with their storage services: what disagrees, orphans included. */
  readonly storageCompared: AsyncSeriesHook<[readonly AttachmentFinding[]]>;
  readonly notification: AsyncSeriesHook<[Notification]>;
}

export function createHooks(): Hooks {
  return {
    beforePowerChange: new AsyncSeriesHook(['task', 'target'], 'beforePowerChange'),
    afterPowerChange: new AsyncSeriesHook(['task', 'target'], 'afterPowerChange'),
    beforeAttach: new AsyncSeriesHook(['task'], 'beforeAttach'),
    afterAttach: new AsyncSeriesHook(['task', 'volumes'], 'afterAttach'),
    beforeDetach: new AsyncSeriesHook(['task'], 'beforeDetach'),
    afterDetach: new AsyncSeriesHook(['task'], 'afterDetach'),
    artifactsRendered: new AsyncSeriesHook(['task', 'artifacts'], 'artifactsRendered'),
    provisionStateChanged: new AsyncSeriesHook(['node', 'previous'], 'provisionStateChanged'),
    operationStarted: new AsyncSeriesHook(['event'], 'operationStarted'),
    operationFinished: new AsyncSeriesHook(['event'], 'operationFinished'),
    operationFailed: new AsyncSeriesHook(['event'], 'operationFailed'),
    powerSyncFailed: new AsyncSeriesHook(['node', 'reason'], 'powerSyncFailed'),
    storageCompared: new AsyncSeriesHook(['findings'], 'storageCompared'),
    notification: new AsyncSeriesHook(['notification'], 'notification'),
  };
}
