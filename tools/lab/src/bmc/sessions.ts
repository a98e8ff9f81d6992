import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { RedfishError } from './redfish-error.ts';

export interface SessionOptions {
  readonly username: string;
  readonly password: string;
  /** Default: 64. */
  readonly maxSessions?: number | undefined;
  /** A session ends when it was not used for so long. Default: 30 minutes. */
  readonly sessionTimeoutMs?: number | undefined;
}

export interface Session {
  readonly id: string;
  readonly token: string;
  readonly username: string;
  readonly created: Date;
  lastUsed: number;
}

/** The accounts and sessions of a BMC (DSP0266, "Security details"): HTTP basic and X-Auth-Token. */
export class Sessions {
  readonly timeoutMs: number;
  /** Refuses new sessions while it is true, as a BMC does that has run out of them. */
  refused = false;
  readonly #username: string;
  readonly #password: string;
  readonly #max: number;
  readonly #byId = new Map<string, Session>();
  readonly #byToken = new Map<string, Session>();
  #lastId = 0;

  constructor(options: SessionOptions) {
    this.#username = options.username;
    this.#password = options.password;
    this.#max = options.maxSessions ?? 64;
    this.timeoutMs = options.sessionTimeoutMs ?? 1_800_000;
  }

  /** @throws RedfishError for wrong credentials or when the limit is reached. */
  create(username: unknown, password: unknown): Session {
    if (username !== this.#username || !this.#isPassword(password)) {
      throw new RedfishError('ResourceAtUriUnauthorized', [
        '/redfish/v1/SessionService/Sessions',
        'invalid credentials',
      ]);
    }
    if (this.refused || this.list().length >= this.#max) throw new RedfishError('SessionLimitExceeded');
    this.#lastId += 1;
    const session = {
      id: String(this.#lastId),
      token: randomBytes(24).toString('base64url'),
      username: this.#username,
      created: new Date(),
      lastUsed: Date.now(),
    };
    this.#byId.set(session.id, session);
    this.#byToken.set(session.token, session);
    return session;
  }

  list(): readonly Session[] {
    for (const session of this.#byId.values()) {
      if (this.#isExpired(session)) this.delete(session.id);
    }
    return [...this.#byId.values()];
  }

  get(id: string): Session | undefined {
    const session = this.#byId.get(id);
    return session === undefined || this.#isExpired(session) ? undefined : session;
  }

  /** Whether there was such a session. */
  delete(id: string): boolean {
    this.#byToken.delete(this.#byId.get(id)?.token ?? '');
    return this.#byId.delete(id);
  }

  /** Forgets all sessions, as after a restart of the BMC. */
  clear(): void {
    this.#byId.clear();
    this.#byToken.clear();
  }

  /** Whether the request headers prove who sends them; a session that is used lives on. */
  authenticate(token: string | undefined, authorization: string | undefined): boolean {
    if (token !== undefined) {
      const session = this.#byToken.get(token);
      if (session === undefined || this.#isExpired(session)) return false;
      session.lastUsed = Date.now();
      return true;
    }
    const [scheme, credentials = ''] = (authorization ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'basic') return false;
    const text = Buffer.from(credentials, 'base64').toString();
    const colon = text.indexOf(':');
    return text.slice(0, colon) === this.#username && this.#isPassword(text.slice(colon + 1));
  }

  #isExpired(session: Session): boolean {
    return session.lastUsed < Date.now() - this.timeoutMs;
  }

  #isPassword(password: unknown): boolean {
    if (typeof password !== 'string') return false;
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(password), digest(this.#password));
  }
}
