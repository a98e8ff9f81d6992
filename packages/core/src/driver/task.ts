import type { InfoValue } from '../info.ts';
import type { Logger } from '../logger.ts';
import type { Node } from '../model/node.ts';
import type { Port } from '../model/port.ts';
import type { VolumeConnector, VolumeTarget } from '../model/volume.ts';
import type { Driver } from './driver.ts';
import type { InterfaceKind } from './kinds.ts';

/** One piece of work on one node, as a driver interface sees it. The records are a snapshot taken when the task began. */
export interface Task {
  readonly node: Node;
  readonly ports: readonly Port[];
  readonly volumeConnectors: readonly VolumeConnector[];
  /** In the order of their boot index. */
  readonly volumeTargets: readonly VolumeTarget[];
  readonly driver: Driver;
  /** Aborted when the work has to stop: deadline, `abort` verb, shutdown, lost lock. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly journal: Journal;
  /** The task as a neighbour in {@link Task.driver} has to get it: with the journal of that interface. */
  forInterface(kind: InterfaceKind): Task;
}

/**
 * Durable notes of one driver interface about one node. A driver writes down what it is about to create outside before it
 * asks for it, so that after a crash it finds what it has to adopt or to remove. Secrets are stored encrypted.
 */
export interface Journal {
  get(key: string): Promise<InfoValue | undefined>;
  /**
   * Returns when the note is on disk.
   * @throws LOCK_LOST when another conductor has taken the node over; the driver must stop.
   */
  put(key: string, value: InfoValue): Promise<void>;
  delete(key: string): Promise<void>;
  /** All notes of the interface about the node. */
  list(): Promise<ReadonlyMap<string, InfoValue>>;
}
