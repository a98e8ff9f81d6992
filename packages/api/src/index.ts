export { createApi, type ApiOptions } from './server.ts';
export { roles, type Authenticator, type AuthOptions, type Identity, type Role } from './auth/authenticator.ts';
export type { KeystoneOptions, NameInDomain, TokenOwner, TokenValidator } from './auth/keystone.ts';
export { policy, systemRules, type Rule } from './policy.ts';
export { maxVersion, minVersion } from './microversion.ts';
export type { ErrorBody } from './errors.ts';
