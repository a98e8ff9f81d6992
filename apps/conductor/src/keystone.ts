import type { AuthOptions } from '@ironbark/api';
import { explain, type Logger } from '@ironbark/core';
import type { KeystoneAuth } from './config/auth.ts';
import type { Config } from './config/load.ts';

/** The conductor's own login at Keystone: by it tokens of clients are validated and the catalogue is read. */
export interface Keystone {
  /** Logs in. @returns whether it could, with a warning when not; requests make the next attempt. */
  check(): Promise<boolean>;
  /** URL of the Bare Metal API in the catalogue, without a slash at the end; undefined, with a warning, when it cannot be found. */
  findApiUrl(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A deployment waits no longer for an address that the machine can do without. */
const patienceMs = 15_000;

/** How clients of the API are authenticated, and what that takes. Nothing is asked of Keystone yet. */
export async function openAuth(
  { api: { auth } }: Config,
  log: Logger,
): Promise<{ readonly auth: AuthOptions; readonly keystone?: Keystone }> {
  return auth.strategy === 'keystone' ? openKeystone(auth, log) : { auth };
}

/** Loads the client only now: no other way of authentication needs it. */
async function openKeystone(options: KeystoneAuth, log: Logger) {
  const { createTokenValidator, Session } = await import('@ironbark/openstack');
  const session = new Session(options.session, { log, settings: 'api.auth' });
  const validator = createTokenValidator(session, { cacheSeconds: options.tokenCacheSeconds });
  const closing = new AbortController();
  const patience = () => AbortSignal.any([closing.signal, AbortSignal.timeout(patienceMs)]);
  let apiUrl: string | undefined;

  const keystone: Keystone = {
    async check() {
      try {
        await session.token(patience());
        return true;
      } catch (error) {
        const consequence = 'Keystone cannot be asked. Until it can, requests are answered with status 503.';
        if (!closing.signal.aborted) log.warn({ reason: explain(error) }, consequence);
        return false;
      }
    },
    async findApiUrl() {
      if (apiUrl !== undefined) return apiUrl;
      try {
        const url = await session.endpointOf('baremetal', options.endpoint, patience());
        apiUrl = new URL(url).href.replace(/\/(?:v1)?$/, '');
        log.info({ url: apiUrl }, 'Machines report failed boots to the address in the catalogue of Keystone.');
      } catch (error) {
        const reason = error instanceof Error ? error.message : error;
        const remedy = 'The address of the API was not found in the catalogue of Keystone. Set api.boot_report_url.';
        if (!closing.signal.aborted) log.warn({ reason }, remedy);
      }
      return apiUrl;
    },
    async close() {
      closing.abort();
      await session.close();
    },
  };
  const { strategy, authUri, systemProjects } = options;
  return { auth: { strategy, validator, authUri, systemProjects }, keystone };
}
