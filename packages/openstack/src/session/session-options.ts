import type { Secret } from '@ironbark/core';
import type { HttpPatience } from '@ironbark/http';

/** How a session is made. Settings of an operator become one by {@link readOpenStackSettings}. */
export interface SessionOptions {
  readonly auth: Auth;
  /** True: by the CAs that Node trusts; a path: by the certificates in this PEM file alone; false: not verified at all. */
  readonly verifyCa: boolean | string;
  readonly patience: HttpPatience;
}

/** `none`: services that run without Keystone. */
export type Auth =
  | { readonly kind: 'none'; readonly userId: string; readonly projectId: string }
  | {
      readonly kind: 'keystone';
      /** Ends in `/v3`. */
      readonly url: string;
      readonly credentials: Credentials;
      /** Null: what the credentials bring with them. */
      readonly scope: Scope | null;
    };

export type Credentials =
  | { readonly method: 'password'; readonly user: User; readonly password: Secret }
  | { readonly method: 'application_credential'; readonly id: string; readonly secret: Secret }
  | {
      readonly method: 'application_credential';
      readonly name: string;
      readonly user: User;
      readonly secret: Secret;
    }
  | { readonly method: 'token'; readonly token: Secret };

export type Domain = { readonly id: string } | { readonly name: string };
export type User = { readonly id: string } | { readonly name: string; readonly domain: Domain };
export type Project = { readonly id: string } | { readonly name: string; readonly domain: Domain };

export type Scope =
  | { readonly project: Project }
  | { readonly domain: Domain }
  | { readonly system: { readonly all: true } }
  | { readonly unscoped: Readonly<Record<string, never>> };

/** Which endpoint of a service is used. */
export interface EndpointOptions {
  /** Null: any. */
  readonly region: string | null;
  /** The first that the catalogue has: `internal`, `public`, `admin`. */
  readonly interfaces: readonly EndpointInterface[];
  /** Instead of the catalogue's; `%(project_id)s` in it is replaced. */
  readonly override: string | null;
}

export const endpointInterfaces = ['internal', 'public', 'admin'] as const;
export type EndpointInterface = (typeof endpointInterfaces)[number];

export const defaultPatience: HttpPatience = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  attempts: 4,
  retryIntervalMs: 500,
};
