import { isSecret, type Secret } from '@ironbark/core';
import type { Credentials, Scope } from './session-options.ts';

/** The body of `POST /v3/auth/tokens`: Identity API v3, "Authentication and token management". */
export function authRequest(credentials: Credentials, scope: Scope | null): object {
  const identity = { methods: [credentials.method], [credentials.method]: proofOf(credentials) };
  return { auth: { identity, ...(scope === null ? {} : { scope }) } };
}

/** What an answer about these credentials must not repeat. */
export function secretsOf(credentials: Credentials): readonly Secret[] {
  return Object.values(credentials).filter(isSecret);
}

function proofOf(credentials: Credentials): object {
  if (credentials.method === 'password') {
    return { user: { ...credentials.user, password: credentials.password.reveal() } };
  }
  if (credentials.method === 'token') return { id: credentials.token.reveal() };
  const { method: _, secret, ...credential } = credentials;
  return { ...credential, secret: secret.reveal() };
}
