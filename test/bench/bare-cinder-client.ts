import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';

export interface BareCinderOptions {
  /** Of Cinder, with the version and the project. */
  readonly url: string;
  /** Of a user with the roles admin and service. */
  readonly token: string;
  /** Stands for the instance and the host. */
  readonly nodeUuid: string;
  readonly volumeIds: readonly string[];
}

export interface BareCinderClient {
  readonly pid: number;
  /** Attaches the first volumes and releases them again. */
  cycle(volumes: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a process that makes the calls of the storage driver, with nothing around them. */
export async function startBareCinderClient(options: BareCinderOptions): Promise<BareCinderClient> {
  const child = fork(fileURLToPath(import.meta.url), ['run']);
  child.send(options);
  await once(child, 'message');
  return {
    pid: child.pid ?? 0,
    async cycle(volumes) {
      child.send(volumes);
      await once(child, 'message');
    },
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

type Call = <Body = unknown>(method: string, path: string, body?: object) => Promise<Body>;

async function attachAndRelease(call: Call, nodeUuid: string, volumeIds: readonly string[]): Promise<void> {
  const connector = { initiator: `iqn.2026-01.org.example:${nodeUuid}`, host: nodeUuid };
  const key = `ironic_node_${nodeUuid}`;
  await Promise.all(volumeIds.map((id) => call('GET', `/volumes/${id}`)));
  const attachments = await Promise.all(
    volumeIds.map(async (id) => {
      await call('GET', `/volumes/${id}`);
      const body = { attachment: { volume_uuid: id, instance_uuid: nodeUuid } };
      const { attachment } = await call<{ attachment: { id: string } }>('POST', '/attachments', body);
      await call('PUT', `/attachments/${attachment.id}`, { attachment: { connector } });
      return attachment.id;
    }),
  );
  for (const id of attachments) await call('POST', `/attachments/${id}/action`, { 'os-complete': null });
  const metadata = { [key]: JSON.stringify({ instance_uuid: nodeUuid, last_action: 'attached' }) };
  await Promise.all(volumeIds.map((id) => call('POST', `/volumes/${id}/metadata`, { metadata })));
  await Promise.all(
    volumeIds.map(async (id, index) => {
      const look = async () => {
        await call('GET', `/volumes/${id}`);
        await call('GET', `/attachments?volume_id=${id}&all_tenants=1`);
      };
      await look();
      await call('DELETE', `/attachments/${attachments[index]}`);
      await look();
      await call('DELETE', `/volumes/${id}/metadata/${key}`);
    }),
  );
}

function createCall({ url, token }: BareCinderOptions): Call {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const { hostname: host, port, pathname } = new URL(url);
  const common = {
    'X-Auth-Token': token,
    'X-Service-Token': token,
    'OpenStack-API-Version': 'volume 3.44',
    'Content-Type': 'application/json',
  };
  return async <Body>(method: string, path: string, body?: object): Promise<Body> => {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const headers = { ...common, 'Content-Length': Buffer.byteLength(payload) };
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const outgoing = request({ agent, host, port, method, path: pathname + path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        if ((answer.statusCode ?? 500) < 400) resolve(text);
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
      });
    });
    outgoing.on('error', reject).end(payload);
    const text = await promise;
    return (text === '' ? null : JSON.parse(text)) as Body;
  };
}

async function run(): Promise<void> {
  const [options] = (await once(process, 'message')) as [BareCinderOptions];
  const call = createCall(options);
  process.send?.('ready');
  for (;;) {
    const [volumes] = (await once(process, 'message')) as [number];
    await attachAndRelease(call, options.nodeUuid, options.volumeIds.slice(0, volumes));
    process.send?.('done');
  }
}

if (process.argv[2] === 'run' && process.argv[1] === fileURLToPath(import.meta.url)) await run();
