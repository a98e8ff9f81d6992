import type { Info, Timestamp } from '@ironbark/core';

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
