import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';

/** A relay's address on the loopback network: dnsmasq answers it with unicast, so neither broadcasts nor raw sockets are needed. */
const relayAddress = '127.0.0.2';
const serverAddress = '127.0.0.1';
const magic = [99, 130, 83, 99];

export interface Question {
  readonly macAddress: string;
  /** Option 93. */
  readonly architecture?: number;
  readonly isIpxe?: boolean;
  /** Option 60. */
  readonly vendorClass?: string;
}

export interface Answer {
  readonly bootFile: string;
  /** Address of the TFTP server (siaddr). */
  readonly nextServer: string;
  readonly vendorClass: string;
}

export interface Dnsmasq {
  /** What a network card is told in answer to its DHCPDISCOVER. */
  ask(question: Question): Promise<Answer>;
}

/** Writes a configuration that includes ours the way an operator does. @returns its path. */
export async function writeDnsmasqConf(directory: string, ours: string, port = 67): Promise<string> {
  const path = join(directory, 'dnsmasq.conf');
  const lines = [
    'port=0',
    'interface=lo',
    'bind-interfaces',
    `dhcp-alternate-port=${port},${port + 1}`,
    'dhcp-range=127.0.0.100,127.0.0.200,255.0.0.0,10m',
    `dhcp-leasefile=${join(directory, 'leases')}`,
    'no-ping',
    `user=${userInfo().username}`,
    `conf-file=${ours}`,
  ];
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

/** Whether dnsmasq accepts the configuration, with all that it includes. */
export async function acceptsConf(path: string): Promise<boolean> {
  return (await execa('dnsmasq', ['--test', '-C', path], { reject: false, timeout: 10_000 })).exitCode === 0;
}

/** Starts a real dnsmasq on the loopback network, ended with the test. */
export async function startDnsmasq(directory: string, ours: string): Promise<Dnsmasq> {
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const conf = await writeDnsmasqConf(directory, ours, port);
  const abort = new AbortController();
  const server = execa('dnsmasq', ['--keep-in-foreground', '--log-facility=-', '-C', conf], {
    cancelSignal: abort.signal,
    reject: false,
  });
  onTestFinished(async () => {
    abort.abort();
    await server;
  });
  await started(server.stderr);
  return { ask: (question) => exchange(port, question) };
}

async function started(log: Readable): Promise<void> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    log.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('started')) resolve();
    });
    log.on('end', () => reject(new Error(`dnsmasq ended: ${text}`)));
  });
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, relayAddress);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function exchange(port: number, question: Question): Promise<Answer> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true }).bind(port, relayAddress);
  try {
    await once(socket, 'listening');
    socket.send(discover(question), port, serverAddress);
    const [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer];
    return parseOffer(message);
  } finally {
    socket.close();
  }
}

/** A relayed DHCPDISCOVER (RFC 2131). */
function discover({ macAddress, architecture, isIpxe = false, vendorClass }: Question): Buffer {
  const header = Buffer.alloc(236);
  // BOOTREQUEST, Ethernet, six bytes of address, one hop.
  header.set([1, 1, 6, 1]);
  header.set(relayAddress.split('.').map(Number), 24);
  header.set(Buffer.from(macAddress.replaceAll(':', ''), 'hex'), 28);
  const option = (code: number, ...value: readonly number[]) => [code, value.length, ...value];
  const options = [
    ...option(53, 1),
    ...(architecture === undefined ? [] : option(93, architecture >> 8, architecture & 0xff)),
    ...(vendorClass === undefined ? [] : option(60, ...Buffer.from(vendorClass))),
    ...(isIpxe ? option(77, ...Buffer.from('iPXE')) : []),
    ...option(55, 1, 3, 66, 67),
    255,
  ];
  return Buffer.concat([header, Buffer.from([...magic, ...options])]);
}

function parseOffer(message: Buffer): Answer {
  const options = new Map<number, Buffer>();
  for (let at = 236 + magic.length; at < message.length && message[at] !== 255;) {
    const [code = 0, length = 0] = message.subarray(at);
    if (code === 0) {
      at += 1;
      continue;
    }
    options.set(code, message.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  const text = (bytes: Buffer | undefined) => (bytes ?? Buffer.alloc(0)).toString('latin1').replace(/\0+$/, '');
  return {
    bootFile: text(options.get(67)) || text(message.subarray(108, 236)),
    nextServer: [...message.subarray(20, 24)].join('.'),
    vendorClass: text(options.get(60)),
  };
}
