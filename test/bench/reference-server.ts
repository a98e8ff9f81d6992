import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface ReferenceServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a process that answers every request with the same body. */
export async function startReferenceServer(body: string): Promise<ReferenceServer> {
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  child.send(body);
  const [port] = (await once(child, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function serve(): Promise<void> {
  const [body] = (await once(process, 'message')) as [string];
  const bytes = Buffer.from(body);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url)) await serve();
