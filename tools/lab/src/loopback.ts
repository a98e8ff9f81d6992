import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** The only address that the lab listens on. */
export const loopback = '127.0.0.1';

/** How a guest on qemu's user network reaches {@link loopback} of the host. */
export const hostSeenByGuest = '10.0.2.2';

/** Ports that Linux gives to nobody by itself: one of them stays free until a program that takes seconds to start listens on it. */
const [lowestPort, highestPort] = [20_000, 32_767];

/** A TCP port that was free a moment ago: the caller tries again when somebody else took it since. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowestPort, highestPort + 1);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(port, loopback, () => server.close(() => resolve(true)));
  return promise;
}
