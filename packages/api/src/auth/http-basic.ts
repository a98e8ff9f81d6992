import { createHmac, randomBytes } from 'node:crypto';
import { IronbarkError, type Logger } from '@ironbark/core';
import type { FastifyRequest } from 'fastify';
import type { Authenticator, Identity, Role } from './authenticator.ts';
import { BcryptThread } from './bcrypt-thread.ts';
import { HtpasswdFile } from './htpasswd.ts';

/** A bcrypt check costs tens of milliseconds of CPU; its outcome is remembered this long. */
const rememberMs = 60_000;
const rememberAtMost = 1000;
/** Checks that may wait for the thread; further unknown credentials are turned away, so that guessing does not stop the service. */
const waitAtMost = 32;
/** bcrypt looks at 72 bytes; a longer password would be accepted with any ending. */
const passwordBytesAtMost = 72;
/** Compared with when there are no users at all. Hash of a random text that nobody knows. */
const nobodysHash = '$2b$10$j4qFo3nXu1GvTytqS2wiFuTDJJIUwo7eunURtspnvwMvviP/748fO';

/** HTTP Basic authentication against an htpasswd file. A member's project is named like the user. */
export class HttpBasicAuthenticator implements Authenticator {
  readonly challenge = 'Basic realm="Baremetal API", charset="UTF-8"';
  readonly #file: HtpasswdFile;
  readonly #roles: Readonly<Record<string, Role>> | undefined;
  /** Outcome per credential and hash; keys are keyed digests, so that memory holds no passwords. */
  readonly #remembered = new Map<string, { readonly valid: boolean; readonly until: number }>();
  readonly #digestKey = randomBytes(32);
  readonly #thread = new BcryptThread();
  #waiting = 0;

  constructor(htpasswd: string, roles: Readonly<Record<string, Role>> | undefined, log: Logger) {
    this.#file = new HtpasswdFile(htpasswd, log);
    this.#roles = roles;
  }

  async authenticate(request: FastifyRequest): Promise<Identity> {
    const { user, password } = basicCredentials(request.headers.authorization);
    const hash = await this.#file.hashOf(user);
    // An unknown user costs the comparison that a known one costs, so that the time does not tell who exists.
    const valid = await this.#verify(password, hash ?? this.#file.anyHash() ?? nobodysHash);
    if (!valid || hash === undefined) throw unauthenticated('The user or the password is wrong.');
    return this.#identityOf(user);
  }

  #identityOf(user: string): Identity {
    const roles = this.#roles;
    const role = roles === undefined ? 'admin' : Object.hasOwn(roles, user) ? roles[user] : undefined;
    return { user, project: user, roles: role === undefined ? [] : [role], system: role !== 'member' };
  }

  async #verify(password: string, hash: string): Promise<boolean> {
    if (Buffer.byteLength(password) > passwordBytesAtMost) return false;
    const key = createHmac('sha256', this.#digestKey).update(`${hash}\0${password}`).digest('base64');
    const known = this.#remembered.get(key);
    if (known !== undefined && known.until > Date.now()) return known.valid;
    const valid = await this.#compareInTurn(password, hash);
    this.#remembered.delete(key);
    this.#remembered.set(key, { valid, until: Date.now() + rememberMs });
    if (this.#remembered.size > rememberAtMost) {
      const oldest = this.#remembered.keys().next().value;
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    return valid;
  }

  async #compareInTurn(password: string, hash: string): Promise<boolean> {
    if (this.#waiting >= waitAtMost)
      throw new IronbarkError('NO_FREE_WORKER', 'Too many sign-ins are being checked at once.', {
        hint: 'Try again in a few seconds.',
        retryable: true,
      });
    this.#waiting += 1;
    try {
      return await this.#thread.compare(password, hash);
    } finally {
      this.#waiting -= 1;
    }
  }
}

function basicCredentials(header: string | undefined): { readonly user: string; readonly password: string } {
  const encoded = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? '')?.[1];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) throw unauthenticated('Authentication is required.');
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function unauthenticated(message: string): IronbarkError {
  return new IronbarkError('UNAUTHENTICATED', message, {
    hint: 'Send a user and a password with HTTP Basic authentication.',
  });
}
