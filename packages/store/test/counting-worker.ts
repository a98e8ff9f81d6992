import { parentPort, workerData } from 'node:worker_threads';
import { openSqliteStore, type SqliteStoreOptions } from '../src/index.ts';
import { count } from './counting.ts';

const { options, nodeUuid, times } = workerData as {
  readonly options: SqliteStoreOptions;
  readonly nodeUuid: string;
  readonly times: number;
};
const store = await openSqliteStore(options);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a worker thread has none
parentPort?.postMessage('begun');
await count(store, nodeUuid, times);
await store.close();
