import { composeDriver, type InterfaceKind, type Journal, type Node, type Task } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from './context.ts';

/** Who a note in a node's journal belongs to: one of its driver interfaces, or the engine. */
export type JournalScope = InterfaceKind | 'engine';

export interface TaskOptions {
  /** Whose journal the task sees. */
  readonly scope: JournalScope;
  /** The lock under which the task writes; undefined for tasks that only look. */
  readonly fence?: Fence | undefined;
  readonly signal?: AbortSignal;
  /** Facts for every log line of the task, beside the node. */
  readonly bindings?: object;
}

/** Loads a node's records and composes its driver. */
export async function createTask(context: EngineContext, node: Node, options: TaskOptions): Promise<Task> {
  const { store, registry, log } = context;
  const filter = { nodeUuid: node.uuid };
  const [ports, volumeConnectors, volumeTargets] = await Promise.all([
    store.ports.list({ filter }),
    store.volumeConnectors.list({ filter }),
    store.volumeTargets.list({ filter, sortKey: 'bootIndex' }),
  ]);
  return {
    node,
    ports,
    volumeConnectors,
    volumeTargets,
    driver: composeDriver(registry, node),
    signal: options.signal ?? new AbortController().signal,
    log: log.child({ node: node.uuid, ...options.bindings }),
    journal: createJournal(context, node.uuid, options.scope, options.fence),
    forInterface(this: Task, kind) {
      return { ...this, journal: createJournal(context, node.uuid, kind, options.fence) };
    },
  };
}

export function createJournal(context: EngineContext, nodeUuid: string, scope: JournalScope, fence?: Fence): Journal {
  const { journal } = context.store;
  return {
    get: (key) => journal.get(nodeUuid, scope, key),
    put: (key, value) => journal.put(nodeUuid, scope, key, value, fence),
    delete: (key) => journal.delete(nodeUuid, scope, key, fence),
    list: () => journal.list(nodeUuid, scope),
  };
}
