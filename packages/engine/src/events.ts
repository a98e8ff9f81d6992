import { timestamp, type Info, type Timestamp } from '@ironbark/core';

/** Something that happened, for the event stream. Holds no secrets. */
export interface EngineEvent {
  /** Grows by one with every event of this conductor process. */
  readonly id: number;
  /** `operation.started`, `step.finished`, `provision_state.changed`, `notification` … */
  readonly type: string;
  readonly nodeUuid: string;
  readonly time: Timestamp;
  readonly data: Info;
}

export interface EventStream {
  /**
   * Calls the listener for every event, first for the kept ones that are newer than `afterId`.
   * @returns a function that ends the subscription.
   */
  subscribe(
    listener: (event: EngineEvent) => void,
    options?: { readonly nodeUuid?: string; readonly afterId?: number },
  ): () => void;
}

export interface EventLog extends EventStream {
  emit(type: string, nodeUuid: string, data: Info): void;
}

/** Events kept for clients that reconnect. */
const keptEvents = 1000;

export function createEventLog(): EventLog {
  const kept: EngineEvent[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  let lastId = 0;
  return {
    emit(type, nodeUuid, data) {
      lastId += 1;
      const event: EngineEvent = { id: lastId, type, nodeUuid, time: timestamp(), data };
      kept.push(event);
      if (kept.length > keptEvents) kept.shift();
      for (const listener of listeners) listener(event);
    },
    subscribe(listener, { nodeUuid, afterId } = {}) {
      const filtered =
        nodeUuid === undefined ? listener : (event: EngineEvent) => event.nodeUuid === nodeUuid && listener(event);
      if (afterId !== undefined) for (const event of kept) if (event.id > afterId) filtered(event);
      listeners.add(filtered);
      return () => {
        listeners.delete(filtered);
      };
    },
  };
}
