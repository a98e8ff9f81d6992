import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** The path of the package comes as data: what runs from a text has no place from which packages are looked up. */
const code = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { compareSync } = require(workerData.bcryptjs);
  parentPort.on('message', ({ password, hash }) => parentPort.postMessage(compareSync(password, hash)));
`;

/** Compares passwords with bcrypt hashes in a thread of its own, one after the other: each takes up to a second of CPU. */
export class BcryptThread {
  #worker: Worker | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** @throws what ended the thread; the next call begins another one. */
  compare(password: string, hash: string): Promise<boolean> {
    const turn = this.#queue.then(() => this.#ask({ password, hash }));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  #ask(question: { readonly password: string; readonly hash: string }): Promise<boolean> {
    const worker = (this.#worker ??= startWorker());
    return new Promise((resolve, reject) => {
      const answered = (isEqual: boolean) => {
        worker.off('error', failed);
        resolve(isEqual);
      };
      const failed = (error: unknown) => {
        worker.off('message', answered);
        this.#worker = undefined;
        reject(error);
      };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      worker.once('message', answered).once('error', failed).postMessage(question);
    });
  }
}

function startWorker(): Worker {
  const bcryptjs = createRequire(import.meta.url).resolve('bcryptjs');
  const worker = new Worker(code, { eval: true, workerData: { bcryptjs }, execArgv: [] });
  worker.unref();
  return worker;
}
