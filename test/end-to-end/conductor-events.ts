import { get, type ClientRequest } from 'node:http';

export interface ConductorEvent {
  readonly type: string;
  readonly node_uuid: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Calls the listener for every event of a conductor until it is closed or the conductor ends. */
export async function followEvents(url: string, listener: (event: ConductorEvent) => void): Promise<ClientRequest> {
  const { promise: connected, resolve, reject } = Promise.withResolvers<void>();
  const request = get(new URL('/ironbark/v1/events', url), (response) => {
    let rest = '';
    response.setEncoding('utf8').on('error', () => {}); // the conductor was killed
    response.on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) listener(JSON.parse(data.slice('data: '.length)) as ConductorEvent);
      }
    });
    resolve();
  }).on('error', reject);
  await connected;
  return request;
}
