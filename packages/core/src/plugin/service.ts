import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Logger } from '../logger.ts';

/**
 * Names a service that plugins share, for example the tree of boot files. Tokens of the same name are the same service, also
 * when two plugins bring two copies of the library: the first one that is asked for makes it.
 */
export interface ServiceToken<Service, Config = unknown> {
  /** Also the key of the service's section under `settings` in the configuration. */
  readonly name: string;
  readonly config?: StandardSchemaV1<unknown, Config>;
  create(host: ServiceHost<Config>): Service | Promise<Service>;
  /** Called once at shutdown. */
  dispose?(service: Service): void | Promise<void>;
}

export interface ServiceHost<Config> {
  readonly config: Config;
  readonly log: Logger;
  /** A directory that the service may write to; exists, except in a dry run. */
  readonly stateDirectory: string;
  /**
   * True for a command such as `ironbark plan`, which may run beside a conductor: the service must not write, listen or connect
   * when it is made. Default: false.
   */
  readonly dryRun?: boolean;
}

export function defineService<Service, Config = undefined>(
  token: ServiceToken<Service, Config>,
): ServiceToken<Service, Config> {
  return token;
}
