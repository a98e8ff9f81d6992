import { IronbarkError, type Logger } from '@ironbark/core';
import type { Authenticator, AuthOptions } from './authenticator.ts';
import { HttpBasicAuthenticator } from './http-basic.ts';
import { KeystoneAuthenticator } from './keystone.ts';
import { noAuthenticator } from './noauth.ts';

/** @throws CONFIG_INVALID when the strategy's files cannot be used. */
export function createAuthenticator(options: AuthOptions, log: Logger): Authenticator {
  switch (options.strategy) {
    case 'noauth':
      return noAuthenticator;
    case 'http_basic':
      return new HttpBasicAuthenticator(options.htpasswd, options.roles, log);
    case 'keystone':
      return new KeystoneAuthenticator(options);
    case 'custom':
      return options.authenticator;
    default:
      throw new IronbarkError('CONFIG_INVALID', 'There is no such authentication strategy.', {
        hint: 'Strategies: noauth, http_basic, keystone.',
      });
  }
}
