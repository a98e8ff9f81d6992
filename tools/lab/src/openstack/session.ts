import { LabError } from '../lab-error.ts';
import type { OpenStackUser } from './details.ts';

const requestTimeoutMs = 60_000;

interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Login {
  readonly token: string;
  readonly projectId: string;
}

/** Calls services as one user. Meant for preparing and observing tests: nothing is retried but a call with an expired token. */
export class OpenStackSession {
  readonly #authUrl: string;
  readonly #user: OpenStackUser;
  #login: Promise<Login> | undefined;

  constructor(authUrl: string, user: OpenStackUser) {
    this.#authUrl = authUrl;
    this.#user = user;
  }

  async projectId(): Promise<string> {
    return (await this.login()).projectId;
  }

  /** @throws LAB_REQUEST_FAILED when the service refuses or cannot be reached. */
  async call<Body>(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Body> {
    for (let attempt = 1; ; attempt += 1) {
      const { token } = await this.login();
      // With a service token Cinder releases attachments without asking Nova.
      const serviceToken = this.#user.isService === true ? { 'X-Service-Token': token } : {};
      const tokens = { 'X-Auth-Token': token, ...serviceToken };
      const answer = await send<Body>(method, url, body, { ...tokens, ...headers });
      if (answer.status < 400) return answer.body;
      if (answer.status !== 401 || attempt > 1) throw refused(method, url, answer);
      this.#login = undefined;
    }
  }

  /** The login that calls are made with. */
  async login(): Promise<Login> {
    this.#login ??= this.#logIn().catch((error: unknown) => {
      this.#login = undefined;
      throw error;
    });
    return this.#login;
  }

  async #logIn(): Promise<Login> {
    const domain = { name: 'Default' };
    const { username: name, password, project } = this.#user;
    const url = `${this.#authUrl}/auth/tokens?nocatalog`;
    const answer = await send<{ token: { project: { id: string } } }>('POST', url, {
      auth: {
        identity: { methods: ['password'], password: { user: { name, domain, password } } },
        scope: { project: { name: project, domain } },
      },
    });
    if (answer.status !== 201) throw refused('POST', url, answer);
    return { token: answer.headers.get('x-subject-token') ?? '', projectId: answer.body.token.project.id };
  }
}

async function send<Body>(
  method: string,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const response = await fetch(url, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(requestTimeoutMs),
  }).catch((cause: unknown) => {
    throw new LabError('LAB_REQUEST_FAILED', `${method} ${url}: no answer.`, { cause });
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as Body };
}

function refused(method: string, url: string, { status, body }: Answer<unknown>): LabError {
  return new LabError('LAB_REQUEST_FAILED', `${method} ${url}: ${status} ${JSON.stringify(body)}`);
}
