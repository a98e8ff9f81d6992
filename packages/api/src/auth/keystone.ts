import { IronbarkError, Secret } from '@ironbark/core';
import type { FastifyRequest } from 'fastify';
import type { Authenticator, Identity, Role } from './authenticator.ts';

/** Asks Keystone whose token it is; `createTokenValidator` of `@ironbark/openstack` makes one. */
export interface TokenValidator {
  /**
   * @returns undefined when Keystone does not accept the token: unknown, expired or revoked.
   * @throws when that could not be found out.
   */
  validate(token: Secret, signal: AbortSignal): Promise<TokenOwner | undefined>;
}

/** Whose token it is, and in which scope. Neither `project` nor `system`: a domain, or no scope at all. */
export interface TokenOwner {
  readonly user: NameInDomain;
  readonly project: (NameInDomain & { readonly id: string }) | null;
  /** Scope of the whole deployment. */
  readonly system: boolean;
  /** Names of the roles in that scope, implied ones too. */
  readonly roles: readonly string[];
}

export interface NameInDomain {
  readonly name: string;
  readonly domain: { readonly name: string };
}

export interface KeystoneOptions {
  readonly validator: TokenValidator;
  /** URL of Keystone as clients reach it; a 401 names it. */
  readonly authUri: string;
  /** Projects whose roles hold for all nodes: ids, or `name@domain`. Default: none. */
  readonly systemProjects?: readonly string[];
}

/** Roles that Keystone makes by default, and what they are here; others give nothing. */
const knownRoles: ReadonlyMap<string, Role> = new Map([
  ['reader', 'reader'],
  ['member', 'member'],
  ['manager', 'member'],
  ['service', 'service'],
  ['admin', 'admin'],
]);

/** A client waits no longer for Keystone. */
const validationTimeoutMs = 15_000;

/** The text of every 401 of OpenStack services: it does not tell what is wrong with a token. */
const refusal = 'The request you have made requires authentication.';

/** Authentication by Keystone tokens, as OpenStack services do it. */
export class KeystoneAuthenticator implements Authenticator {
  readonly challenge: string;
  readonly refusalBody = { error: { code: 401, title: 'Unauthorized', message: refusal } };
  readonly #validator: TokenValidator;
  readonly #systemProjects: ReadonlySet<string>;

  constructor({ validator, authUri, systemProjects = [] }: KeystoneOptions) {
    this.challenge = `Keystone uri="${authUri}"`;
    this.#validator = validator;
    this.#systemProjects = new Set(systemProjects);
  }

  /** Reads the two token headers and no other: `X-Roles` and the like are written by middleware that is not there, or by a liar. */
  async authenticate({ headers }: FastifyRequest): Promise<Identity> {
    const user = await this.#ownerOf(headers['x-auth-token']);
    const service = headers['x-service-token'];
    if (service !== undefined && !rolesOf(await this.#ownerOf(service)).includes('service')) throw unauthenticated();
    return this.#identityOf(user);
  }

  async #ownerOf(token: string | readonly string[] | undefined): Promise<TokenOwner> {
    if (typeof token !== 'string' || token === '') throw unauthenticated();
    let owner: TokenOwner | undefined;
    try {
      owner = await this.#validator.validate(Secret.of(token), AbortSignal.timeout(validationTimeoutMs));
    } catch (cause) {
      throw new IronbarkError('IDENTITY_UNAVAILABLE', 'The Keystone service is temporarily unavailable.', {
        retryable: true,
        cause,
      });
    }
    if (owner === undefined) throw unauthenticated();
    return owner;
  }

  #identityOf(owner: TokenOwner): Identity {
    const { user, project } = owner;
    const system = owner.system || (project !== null && this.#isSystemProject(project));
    // Roles in a domain say nothing about machines: they belong to projects.
    const roles = system || project !== null ? rolesOf(owner) : [];
    return { user: nameInDomain(user), project: project?.id ?? null, roles, system };
  }

  #isSystemProject(project: NonNullable<TokenOwner['project']>): boolean {
    return this.#systemProjects.has(project.id) || this.#systemProjects.has(nameInDomain(project));
  }
}

function rolesOf({ roles }: TokenOwner): readonly Role[] {
  return roles.flatMap((name) => knownRoles.get(name.toLowerCase()) ?? []);
}

function nameInDomain({ name, domain }: NameInDomain): string {
  return `${name}@${domain.name}`;
}

function unauthenticated(): IronbarkError {
  return new IronbarkError('UNAUTHENTICATED', refusal);
}
