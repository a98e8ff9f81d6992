import type { Server } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { IronbarkError, type Logger } from '@ironbark/core';
import { bootReportUrlOf, isLoopback, localUrlOf } from './api-address.ts';
import type { Config } from './config/load.ts';
import { composeConductor } from './compose.ts';
import { openAuth, type Keystone } from './keystone.ts';
import { conductorVersion } from './version.ts';

export interface RunningConductor {
  /** Address at which a client on this host reaches the API, without a slash at the end. */
  readonly url: string;
  /**
   * Stops accepting requests, lets running steps end within the grace time, disposes plugins and services and closes the store.
   * Operations that have not finished go on at the next start.
   */
  stop(): Promise<void>;
}

/** How long replies that are on their way may take at shutdown; event streams end then. */
const drainMs = 1000;

/**
 * Opens the store, loads the plugins, starts engine and API and listens.
 * @throws CONFIG_INVALID when the address cannot be listened on, and as {@link composeConductor}. Nothing is left open then.
 */
export async function startConductor(config: Config, log: Logger): Promise<RunningConductor> {
  const { listen: host } = config.api;
  const port = config.api.port === 0 ? await freePort(host) : config.api.port;
  const { auth, keystone } = await openAuth(config, log);
  const opened = new AsyncDisposableStack();
  opened.defer(async () => keystone?.close());
  const apiUrl = () => bootReportUrlOf(config.api, port, keystone);
  void warnEarly(config, apiUrl, keystone, log);
  try {
    const composed = await composeConductor(config, { log, apiUrl });
    opened.defer(() => composed.dispose());
    const { engine } = composed;
    const { createApi } = await import('@ironbark/api');
    const app = createApi({
      engine,
      log,
      auth,
      ...(config.api.publicUrl === null ? {} : { publicUrl: config.api.publicUrl }),
      version: conductorVersion(),
    });
    await app.ready();
    await engine.start();
    try {
      await app.listen({ host, port });
    } catch (cause) {
      await engine.stop(config.conductor.graceMs);
      throw notListening(host, port, cause);
    }
    return {
      url: localUrlOf(config.api, port),
      async stop() {
        try {
          const closed = app.close();
          await Promise.all([engine.stop(config.conductor.graceMs), drain(closed, app.server)]);
        } finally {
          await opened.disposeAsync();
        }
      },
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** Says what an operator would otherwise find out too late. Nothing waits for it: Keystone may come up after the conductor. */
async function warnEarly(
  { api }: Config,
  apiUrlOf: () => Promise<string | null>,
  keystone: Keystone | undefined,
  log: Logger,
): Promise<void> {
  const { listen } = api;
  if (api.auth.strategy === 'noauth' && !isLoopback(listen)) {
    log.warn({ listen }, 'everybody who reaches the API may do everything. Set api.auth.');
  }
  if (keystone !== undefined && !(await keystone.check())) return;
  const apiUrl = await apiUrlOf();
  if (apiUrl === null)
    log.warn({ listen }, 'api.boot_report_url is not set: machines cannot report that they failed to boot.');
  else if (isLoopback(new URL(apiUrl).hostname)) {
    log.warn(
      { url: apiUrl },
      'machines cannot report that they failed to boot: the API has a loopback address. Set api.boot_report_url.',
    );
  }
}

/** Waits until the server has closed, and cuts off the clients that keep it from doing so. */
async function drain(closed: Promise<void>, server: Server): Promise<void> {
  await Promise.race([closed, delay(drainMs, undefined, { ref: false })]);
  server.closeAllConnections();
  await closed;
}

/** The number has to be known before the engine is made: boot scripts carry the address of the API. */
async function freePort(host: string): Promise<number> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject);
      probe.listen(0, host, resolve);
    });
    return (probe.address() as AddressInfo).port;
  } catch (cause) {
    throw notListening(host, 0, cause);
  } finally {
    probe.close();
  }
}

function notListening(host: string, port: number, cause: unknown): IronbarkError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new IronbarkError('CONFIG_INVALID', `The API cannot listen on ${host}, port ${port}: ${code}.`, {
    hint: 'Free the port, or set api.listen and api.port to an address of this host.',
    cause,
  });
}
