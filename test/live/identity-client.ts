import { execa } from 'execa';

/** As whom, and for what. Everything is in the domain `Default`. */
export interface Login {
  readonly username: string;
  readonly password: string;
  /** Default: the whole system. */
  readonly project?: string;
}

/** Calls Keystone, to prepare a test: nothing is retried. */
export class IdentityClient {
  readonly authUrl: string;

  constructor(authUrl: string) {
    this.authUrl = authUrl;
  }

  /** @returns a new token, and the id of the project that it is for. */
  async logIn({ username, password, project }: Login): Promise<{ readonly token: string; readonly projectId: string }> {
    const domain = { name: 'Default' };
    const response = await this.#send('POST', '/auth/tokens?nocatalog', undefined, {
      auth: {
        identity: { methods: ['password'], password: { user: { name: username, domain, password } } },
        scope: project === undefined ? { system: { all: true } } : { project: { name: project, domain } },
      },
    });
    const { token } = (await response.json()) as { token: { project?: { id: string } } };
    return { token: response.headers.get('x-subject-token') ?? '', projectId: token.project?.id ?? '' };
  }

  async revoke(token: string): Promise<void> {
    await this.#send('DELETE', '/auth/tokens', token, undefined, { 'x-subject-token': token });
  }

  /** Adds a service to the catalogue. @param endpoints URLs by interface. */
  async addService(
    administrator: Login,
    type: string,
    region: string,
    endpoints: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { token } = await this.logIn(administrator);
    const created = await this.#send('POST', '/services', token, { service: { type, name: type } });
    const { service } = (await created.json()) as { service: { id: string } };
    for (const [name, url] of Object.entries(endpoints)) {
      const endpoint = { service_id: service.id, interface: name, url, region_id: region };
      await this.#send('POST', '/endpoints', token, { endpoint });
    }
  }

  async #send(
    method: string,
    path: string,
    token: string | undefined,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const response = await fetch(`${this.authUrl}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...headers,
        ...(token === undefined ? {} : { 'x-auth-token': token }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}

/** Environment of the `openstack` command for somebody who logs in at Keystone and finds services in its catalogue. */
export function loginEnvironment(authUrl: string, region: string, login: Login): Readonly<Record<string, string>> {
  const { username, password, project } = login;
  return {
    OS_AUTH_TYPE: 'password',
    OS_AUTH_URL: authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_REGION_NAME: region,
    OS_USERNAME: username,
    OS_PASSWORD: password,
    OS_USER_DOMAIN_NAME: 'Default',
    ...(project === undefined
      ? { OS_SYSTEM_SCOPE: 'all' }
      : { OS_PROJECT_NAME: project, OS_PROJECT_DOMAIN_NAME: 'Default' }),
  };
}

/** Runs `openstack baremetal …` with nothing of this process's environment but the path. Never throws for its exit code. */
export async function baremetal(environment: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const { exitCode, stdout, stderr } = await execa('openstack', ['baremetal', ...words], {
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', HOME: '/nonexistent', ...environment },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 120_000,
  });
  return { exitCode, stdout, stderr };
}
