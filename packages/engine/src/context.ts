import type { DriverRegistry, Hooks, Logger } from '@ironbark/core';
import type { Store } from '@ironbark/store';
import type { EventLog } from './events.ts';
import type { Notifier } from './notifications.ts';

export interface EngineOptions {
  readonly hostname: string;
  /** Default: ''. */
  readonly conductorGroup?: string;
  readonly store: Store;
  readonly registry: DriverRegistry;
  readonly hooks: Hooks;
  readonly log: Logger;
  /** Tells the address of the API as machines reach it, for boot reports; null: machines cannot report. Asked for each boot script. */
  readonly apiUrl: () => Promise<string | null>;
  /** Operations that run at a time. Default: 100. */
  readonly workers?: number;
  /** Life of a node lock that is not renewed. Default: 60 s. */
  readonly lockLeaseMs?: number;
  /** How long a request waits for a locked node. Default: 3 s. */
  readonly lockWaitMs?: number;
  /** Bound for power actions. Default: 60 s. */
  readonly powerTimeoutMs?: number;
  /** How long the operating system has to react to a soft action. Default: 600 s. */
  readonly softPowerTimeoutMs?: number;
  /** Bound for one step. Default: 30 min. */
  readonly stepTimeoutMs?: number;
  /** Interval between an agent's heartbeats. Default: 300 s. */
  readonly heartbeatTimeoutSeconds?: number;
  /** From one look at the power states of all nodes to the next; 0: never. Default: 60 s. */
  readonly syncPowerStateIntervalMs?: number;
  /** Nodes whose power state is read at a time, and as many again of those that did not answer at the last look. Default: 8. */
  readonly syncPowerStateWorkers?: number;
  /** From one comparison of all nodes with their storage services to the next; 0: never. Default: 1 h. */
  readonly reconcileIntervalMs?: number;
}

/** What all parts of the engine share. */
export interface EngineContext extends Required<EngineOptions> {
  readonly events: EventLog;
  readonly notifier: Notifier;
}
