import type { Secret } from '@ironbark/core';

/** Tells who is behind a token that a client sent us. */
export interface TokenValidator {
  /**
   * @returns undefined when Keystone does not accept the token: unknown, expired or revoked. A revoked token may be taken for valid as
   * long as answers are remembered.
   * @throws ServiceError when that could not be found out: `OPENSTACK_UNREACHABLE` or any other code. NO_FREE_WORKER when too many
   * are asked about. The reason of the abort.
   */
  validate(token: Secret, signal: AbortSignal): Promise<TokenOwner | undefined>;
}

/** Whose token it is and what it is good for. At most one of `project`, `domain` and `system` is set: the scope. */
export interface TokenOwner {
  readonly user: Identity;
  readonly project: Identity | null;
  readonly domain: DomainIdentity | null;
  /** Scope of the whole deployment (`"system": {"all": true}`). */
  readonly system: boolean;
  /** Names of the roles in that scope, implied ones too, as Keystone writes them. */
  readonly roles: readonly string[];
  readonly expiresAt: Date;
}

export interface Identity {
  readonly id: string;
  readonly name: string;
  readonly domain: DomainIdentity;
}

export interface DomainIdentity {
  readonly id: string;
  readonly name: string;
}
