import { Secret } from '@ironbark/core';
import type { HttpReply } from '@ironbark/http';
import { z } from 'zod';
import { catalogSchema, type Catalog } from './catalog.ts';
import type { Auth } from './session-options.ts';

/** A token of ours. A new value after every login, so that values can be told apart. */
export interface AuthToken {
  /** For `X-Auth-Token`. */
  readonly value: Secret;
  /** Null: the token is not for a project. */
  readonly projectId: string | null;
  /** Null without Keystone. */
  readonly catalog: Catalog | null;
  /** Names of our roles in the scope; none without Keystone. */
  readonly roles: readonly string[];
  /** When it is time for another one, as `Date.now()` tells. */
  readonly renewAt: number;
}

const tokenBody = z.object({
  token: z.object({
    issued_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    project: z.object({ id: z.string() }).nullish(),
    catalog: catalogSchema.optional(),
    roles: z.array(z.object({ name: z.string() })).optional(),
  }),
});

/** A request that takes long must not meet the end of its token. */
const marginMs = 60_000;

/**
 * Reads the answer of `POST /v3/auth/tokens`.
 * @param askedAt `Date.now()` before the request: only the lifetime counts, so that clocks may differ.
 * @returns undefined for an answer of another form.
 */
export function readToken({ headers, body }: HttpReply, askedAt: number): AuthToken | undefined {
  const value = headers.get('x-subject-token');
  const parsed = tokenBody.safeParse(body);
  if (value === null || value === '' || !parsed.success) return undefined;
  const { issued_at, expires_at, project, catalog, roles } = parsed.data.token;
  const lifetimeMs = Date.parse(expires_at) - Date.parse(issued_at);
  return {
    value: Secret.of(value),
    projectId: project?.id ?? null,
    catalog: catalog ?? [],
    roles: (roles ?? []).map(({ name }) => name),
    renewAt: askedAt + Math.max(lifetimeMs - marginMs, lifetimeMs / 2),
  };
}

/** What services without Keystone want to see: `noauth` of Cinder takes user and project from it and makes the user an administrator. */
export function anonymousToken({ userId, projectId }: Extract<Auth, { kind: 'none' }>): AuthToken {
  return { value: Secret.of(`${userId}:${projectId}`), projectId, catalog: null, roles: [], renewAt: Infinity };
}
