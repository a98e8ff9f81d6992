import { run } from '../child-process.ts';
import { LabError } from '../lab-error.ts';
import { leftNamespaceVariable, namespaceOf } from './namespace.ts';

// Of the networks for documentation (RFC 5737, RFC 3849): never addresses that a host uses.
const hostAddress = '198.51.100.1';
const prefix6 = '2001:db8::';
const bridge = 'lab0';

/**
 * An Ethernet segment inside a network namespace: a bridge that the host has an address on, and a tap interface for each network
 * card of a virtual machine. There is one in a namespace at a time.
 */
export class LabNetwork {
  /** Of the host on this network: what DHCP, TFTP, HTTP, iSCSI and NFS servers listen on. */
  readonly address = hostAddress;
  /** Name of the bridge. */
  readonly interface = bridge;
  /** First and last address for machines. */
  readonly range = ['198.51.100.100', '198.51.100.199'] as const;
  /** Of the IPv6 addresses that machines give themselves. */
  readonly prefix6 = prefix6;
  readonly #ports: string[] = [];
  #lastPort = 0;

  private constructor() {}

  /** @throws LAB_INVALID in the network namespace of the host, which it leaves alone; LAB_COMMAND_FAILED. */
  static async start(): Promise<LabNetwork> {
    await assertOwnNamespace();
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
    const network = new LabNetwork();
    try {
      await run('ip', ['address', 'add', `${hostAddress}/24`, 'dev', bridge]);
      await run('ip', ['link', 'set', bridge, 'up']);
      await run('ip', ['address', 'add', `${prefix6}1/64`, 'dev', bridge, 'nodad']);
    } catch (error) {
      await network.stop();
      throw error;
    }
    return network;
  }

  /** Makes a tap interface on the bridge. @returns its name, for a network card of a virtual machine. */
  async addTap(): Promise<string> {
    const name = this.#nextPort('tap');
    await run('ip', ['tuntap', 'add', 'dev', name, 'mode', 'tap']);
    await this.#join(name);
    return name;
  }

  /** Makes a network card without an address, for a program of the host that acts as a machine. @returns its name. */
  async addCard(): Promise<string> {
    const port = this.#nextPort('port');
    const card = port.replace('port', 'card');
    await run('ip', ['link', 'add', port, 'type', 'veth', 'peer', 'name', card]);
    await this.#join(port);
    await run('ip', ['link', 'set', card, 'up']);
    return card;
  }

  /** Removes the bridge and its ports; whatever listens on the address is to be ended first. */
  async stop(): Promise<void> {
    for (const name of [...this.#ports.splice(0), bridge]) await run('ip', ['link', 'delete', name]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #nextPort(kind: string): string {
    this.#lastPort += 1;
    return `${kind}${this.#lastPort}`;
  }

  async #join(name: string): Promise<void> {
    this.#ports.push(name);
    await run('ip', ['link', 'set', name, 'master', bridge, 'up']);
  }
}

/**
 * @throws LAB_INVALID unless this process came into its network namespace by `enter.ts`, which names the one that it left in
 * {@link leftNamespaceVariable}. The first process shows the namespace of the host, but not everybody may look at it.
 */
export async function assertOwnNamespace(): Promise<void> {
  const left = process.env[leftNamespaceVariable];
  const [own, first] = await Promise.all(['self', '1'].map(async (pid) => namespaceOf(pid)));
  if (own !== undefined && left !== undefined && ![left, first].includes(own)) return;
  throw new LabError('LAB_INVALID', "This is the host's own network; the lab does not touch it.", {
    hint: 'Start the program with: node tools/lab/src/network/enter.ts COMMAND',
  });
}
