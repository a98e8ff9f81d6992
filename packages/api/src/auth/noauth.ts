import type { Authenticator, Identity } from './authenticator.ts';

const administrator: Identity = { user: 'noauth', project: null, roles: ['admin'], system: true };

/** Everybody is an administrator: for a network that only the operator reaches. */
export const noAuthenticator: Authenticator = { authenticate: () => administrator };
