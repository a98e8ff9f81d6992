import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { IronbarkError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { attributeError } from './attribute-error.ts';
import type { ServiceToken } from './service.ts';
import type { Settings } from './settings.ts';

interface Made {
  readonly token: ServiceToken<unknown>;
  readonly service: unknown;
}

export interface ServiceContainerOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** Each service gets a directory of its name below this one. */
  readonly stateDirectory: string;
  readonly dryRun: boolean;
}

/** Services that plugins share: each is made at its first use and disposed at shutdown. */
export class ServiceContainer {
  readonly #options: ServiceContainerOptions;
  readonly #services = new Map<string, Promise<unknown>>();
  readonly #made: Made[] = [];
  #disposed = false;

  constructor(options: ServiceContainerOptions) {
    this.#options = options;
  }

  /**
   * The service of this name. Callers that come while it is being made wait for the same one; when making it fails, all of them get
   * the error and the next caller tries again.
   */
  use<Service>(token: ServiceToken<Service>): Promise<Service> {
    if (this.#disposed) {
      return Promise.reject(new IronbarkError('INTERNAL', `Service ${token.name} was asked for after the shutdown.`));
    }
    const known = this.#services.get(token.name);
    if (known !== undefined) return known as Promise<Service>;
    const service = this.#make(token);
    this.#services.set(token.name, service);
    service.catch(() => this.#services.delete(token.name));
    return service;
  }

  /** Disposes all services, the newest first. One that fails is logged and does not keep the others. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await Promise.allSettled(this.#services.values());
    for (const { token, service } of this.#made.splice(0).toReversed()) {
      try {
        await token.dispose?.(service);
      } catch (error) {
        this.#options.log.error({ service: token.name, err: error }, `Service ${token.name} was not disposed.`);
      }
    }
  }

  async #make<Service>(token: ServiceToken<Service>): Promise<Service> {
    const { settings, log, dryRun } = this.#options;
    if (!/^[a-z0-9][a-z0-9._-]*$/.test(token.name)) {
      throw new IronbarkError('PLUGIN_LOAD_FAILED', `${JSON.stringify(token.name)} is no name of a service.`, {
        hint: 'Its author has to use lower-case letters, digits, dots and dashes.',
      });
    }
    const config = await settings.section(token.name, token.config, `service ${token.name}`);
    const stateDirectory = join(this.#options.stateDirectory, token.name);
    if (!dryRun) await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    const service = await this.#create(token, {
      config,
      log: log.child({ service: token.name }),
      stateDirectory,
      dryRun,
    });
    this.#made.push({ token, service });
    return service;
  }

  async #create<Service>(
    token: ServiceToken<Service>,
    host: Parameters<ServiceToken<Service>['create']>[0],
  ): Promise<Service> {
    try {
      return await token.create(host);
    } catch (cause) {
      throw attributeError(`Service ${token.name} could not be made`, cause, {
        code: 'PLUGIN_LOAD_FAILED',
        hint: `Check settings.${token.name}.`,
      });
    }
  }
}
