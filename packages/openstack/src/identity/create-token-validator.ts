import { createHmac, randomBytes } from 'node:crypto';
import { IronbarkError, type Secret } from '@ironbark/core';
import { unlessAborted } from '@ironbark/http';
import { z } from 'zod';
import { ServiceClient } from '../service-client.ts';
import { isServiceError } from '../service-error.ts';
import type { Session } from '../session/session.ts';
import type { TokenOwner, TokenValidator } from './token-validator.ts';

export interface TokenValidatorOptions {
  /** How long an answer is remembered, a refusal too; a token's end comes first. 0: not at all. Default: 300. */
  readonly cacheSeconds?: number;
}

/**
 * Asks Keystone with our session's token, which needs the role `service` or `admin` there. Tokens of application credentials that are
 * restricted by access rules are not accepted: their rules would have to be enforced here.
 * @throws CONFIG_INVALID for a session without Keystone.
 */
export function createTokenValidator(session: Session, options: TokenValidatorOptions = {}): TokenValidator {
  const { authUrl, settings } = session;
  if (authUrl === null) {
    throw new IronbarkError('CONFIG_INVALID', `${settings} names no Keystone that could validate tokens.`, {
      hint: `Set ${settings}.auth_url.`,
    });
  }
  const client = new ServiceClient(session, { name: 'Keystone', address: `${settings}.auth_url` });
  return new KeystoneTokenValidator(client, `${authUrl}/auth/tokens?nocatalog`, (options.cacheSeconds ?? 300) * 1000);
}

const maxRemembered = 10_000;
/** Answers that may be waited for at a time: whoever sends tokens that do not exist must not fill the memory. */
const maxQuestions = 1_000;
/** Longer than any token of Keystone: a client's header must not fill our requests. */
const maxTokenLength = 8_192;

/** `GET /v3/auth/tokens` of Identity API v3, "Validate and show information for token". */
class KeystoneTokenValidator implements TokenValidator {
  readonly #client: ServiceClient;
  readonly #url: string;
  readonly #cacheMs: number;
  readonly #digestKey = randomBytes(32);
  /** Oldest use first. */
  readonly #answers = new Map<string, { readonly owner: TokenOwner | undefined; readonly until: number }>();
  readonly #questions = new Map<string, Promise<TokenOwner | undefined>>();

  constructor(client: ServiceClient, url: string, cacheMs: number) {
    this.#client = client;
    this.#url = url;
    this.#cacheMs = cacheMs;
  }

  async validate(token: Secret, signal: AbortSignal): Promise<TokenOwner | undefined> {
    const text = token.reveal();
    if (text.length > maxTokenLength || !/^[\x21-\x7e]+$/.test(text)) return undefined;
    const key = createHmac('sha256', this.#digestKey).update(text).digest('base64');
    const answer = this.#recall(key);
    if (answer !== undefined) return answer.owner;
    let question = this.#questions.get(key);
    if (question === undefined) {
      if (this.#questions.size >= maxQuestions) throw tooManyQuestions();
      question = this.#ask(text, key).finally(() => this.#questions.delete(key));
      this.#questions.set(key, question);
    }
    return unlessAborted(question, signal, 'Validation of a token');
  }

  #recall(key: string) {
    const answer = this.#answers.get(key);
    this.#answers.delete(key);
    if (answer === undefined || answer.until <= Date.now()) return undefined;
    this.#answers.set(key, answer);
    return answer;
  }

  async #ask(token: string, key: string): Promise<TokenOwner | undefined> {
    const owner = await this.#fetch(token);
    this.#answers.set(key, {
      owner,
      until: Math.min(Date.now() + this.#cacheMs, owner?.expiresAt.getTime() ?? Infinity),
    });
    if (this.#answers.size > maxRemembered) this.#answers.delete(this.#answers.keys().next().value ?? '');
    return owner;
  }

  async #fetch(token: string): Promise<TokenOwner | undefined> {
    const signal = new AbortController().signal;
    const request = { method: 'GET', url: this.#url, headers: { 'x-subject-token': token }, signal } as const;
    try {
      const { body } = await this.#client.request(request);
      const parsed = ownerAnswer.safeParse(body);
      if (parsed.success) return parsed.data;
      throw this.#client.malformed(request, 'an answer that does not tell whose token it is');
    } catch (error) {
      if (isServiceError(error, 'OPENSTACK_NOT_FOUND')) return undefined;
      throw error;
    }
  }
}

function tooManyQuestions(): IronbarkError {
  return new IronbarkError('NO_FREE_WORKER', `Keystone is asked about ${maxQuestions} tokens already.`, {
    hint: 'Try again in a few seconds; find out who sends so many tokens if it stays so.',
    retryable: true,
  });
}

const domain = z.object({ id: z.string(), name: z.string() });
const identity = z.object({ id: z.string(), name: z.string(), domain });

const ownerAnswer = z
  .object({
    token: z.object({
      user: identity,
      project: identity.nullish(),
      domain: domain.nullish(),
      system: z.object({ all: z.boolean().optional() }).nullish(),
      roles: z.array(z.object({ name: z.string() })).optional(),
      expires_at: z.iso.datetime(),
    }),
  })
  .transform(({ token }): TokenOwner => ({
    user: token.user,
    project: token.project ?? null,
    domain: token.domain ?? null,
    system: token.system?.all === true,
    roles: (token.roles ?? []).map(({ name }) => name),
    expiresAt: new Date(token.expires_at),
  }));
