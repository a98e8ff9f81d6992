import { Agent, request } from 'node:http';

/** A client that keeps its connections: what is measured is the server, not the making of connections. */
export class ApiClient {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** @returns the decoded body; null when it is empty. @throws when the answer is no success. */
  async call<Body = unknown>(method: string, path: string, body?: unknown): Promise<Body> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const text = await new Promise<string>((resolve, reject) => {
      const headers = {
        'X-OpenStack-Ironic-API-Version': '1.80',
        ...(payload === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }),
      };
      const outgoing = request(
        { host: this.#url.hostname, port: this.#url.port, path, method, agent: this.#agent, headers },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const received = Buffer.concat(chunks).toString('utf8');
            if ((response.statusCode ?? 500) < 400) resolve(received);
            else reject(new Error(`${method} ${path}: ${response.statusCode} ${received}`));
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
    return (text === '' ? null : JSON.parse(text)) as Body;
  }

  close(): void {
    this.#agent.destroy();
  }
}
