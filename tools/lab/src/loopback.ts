import { createServer } from 'node:net';

/** The only address that the lab listens on. */
export const loopback = '127.0.0.1';

/** How a guest on qemu's user network reaches {@link loopback} of the host. */
export const hostSeenByGuest = '10.0.2.2';

/** A TCP port that was free a moment ago: the caller tries again when somebody else took it since. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, loopback, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new TypeError('A TCP server has an address.');
  return address.port;
}
