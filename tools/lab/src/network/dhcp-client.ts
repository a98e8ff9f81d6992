import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../child-process.ts';
import { LabError } from '../lab-error.ts';

export interface DhcpRequest {
  /** Interface without an address, as {@link LabNetwork.addCard} makes it. */
  readonly card: string;
  readonly macAddress: string;
  /** What the machine says it is: "PXEClient:Arch:00007:UNDI:003016" (option 60). */
  readonly vendorClass?: string;
  /** Client system architecture (option 93, RFC 4578). */
  readonly architecture?: number;
  /** Option 77, as iPXE sends it: without the lengths that RFC 3004 asks for. */
  readonly userClass?: string;
  /** iPXE's encapsulated options (option 175), hexadecimal. */
  readonly ipxeOptions?: string;
}

export interface DhcpLease {
  readonly address: string;
  /** Where the boot file is (field siaddr). */
  readonly nextServer: string | undefined;
  /** Option 67, or the field of that name. */
  readonly bootFile: string | undefined;
  /** Option 66, or the field sname. */
  readonly serverName: string | undefined;
  /** The vendor class that the server says (option 60): UEFI HTTP boot takes only offers with HTTPClient. */
  readonly vendorClass: string | undefined;
}

// The client calls it with the event, and with everything that it learned in the environment.
const script = '#!/bin/sh\n[ "$1" != bound ] || env -0\n';

/**
 * Gets a lease as the firmware of a machine does, by discovery and request, with a client that says what the request says.
 * @throws LAB_COMMAND_FAILED when nobody answers.
 */
export async function requestLease(request: DhcpRequest): Promise<DhcpLease> {
  const directory = await mkdtemp(join(tmpdir(), 'ironbark-dhcp-'));
  try {
    const scriptPath = join(directory, 'script');
    await writeFile(scriptPath, script);
    await chmod(scriptPath, 0o700);
    await run('ip', ['link', 'set', request.card, 'address', request.macAddress]);
    const once = ['-f', '-n', '-q', '-t', '5', '-T', '1'];
    const asked = ['bootfile', 'tftp', '60'].flatMap((option) => ['-O', option]);
    const args = ['udhcpc', '-i', request.card, '-s', scriptPath, ...once, ...asked, ...sentOptions(request)];
    return readLease(await run('busybox', args, { timeoutMs: 20_000 }));
  } finally {
    await rm(directory, { recursive: true });
  }
}

function sentOptions({ vendorClass, architecture, userClass, ipxeOptions }: DhcpRequest): readonly string[] {
  return [
    ...(vendorClass === undefined ? [] : ['-V', vendorClass]),
    ...(architecture === undefined ? [] : ['-x', `0x5d:${architecture.toString(16).padStart(4, '0')}`]),
    ...(userClass === undefined ? [] : ['-x', `0x4d:${Buffer.from(userClass).toString('hex')}`]),
    ...(ipxeOptions === undefined ? [] : ['-x', `0xaf:${ipxeOptions}`]),
  ];
}

function readLease(environment: string): DhcpLease {
  const values = new Map<string, string>();
  for (const variable of environment.split('\0')) {
    const equals = variable.indexOf('=');
    if (equals > 0) values.set(variable.slice(0, equals), variable.slice(equals + 1));
  }
  const address = values.get('ip');
  if (address === undefined) throw new LabError('LAB_INVALID', 'The DHCP client got no address.');
  return {
    address,
    nextServer: values.get('siaddr'),
    bootFile: values.get('bootfile') ?? values.get('boot_file'),
    serverName: values.get('tftp') ?? values.get('sname'),
    vendorClass: values.get('vendor'),
  };
}
