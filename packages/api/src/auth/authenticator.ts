import type { FastifyRequest } from 'fastify';
import type { KeystoneOptions } from './keystone.ts';

/** Each role may also do what the ones before it may. */
export const roles = ['reader', 'member', 'service', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who sends a request. */
export interface Identity {
  readonly user: string;
  /** Nodes of this owner or lessee are the project's own. Null: none are. */
  readonly project: string | null;
  readonly roles: readonly Role[];
  /** Whether the roles hold for all nodes, not only for those of the project. */
  readonly system: boolean;
}

/** One way to find out who sends a request. */
export interface Authenticator {
  /** Value of `WWW-Authenticate` in a 401. Default: none. */
  readonly challenge?: string;
  /** Body of a 401. Default: that of every failed answer. */
  readonly refusalBody?: object;
  /** @throws UNAUTHENTICATED when the request does not prove who sends it. */
  authenticate(request: FastifyRequest): Promise<Identity> | Identity;
}

export type AuthOptions =
  | { readonly strategy: 'noauth' }
  | {
      readonly strategy: 'http_basic';
      /** Path of an htpasswd file with bcrypt hashes (`htpasswd -B`). */
      readonly htpasswd: string;
      /** Role per user. Default: every user is an admin. When given, a user that is not named has no role. */
      readonly roles?: Readonly<Record<string, Role>>;
    }
  | ({ readonly strategy: 'keystone' } & KeystoneOptions)
  | { readonly strategy: 'custom'; readonly authenticator: Authenticator };
