import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runIronbark, startMachineSite, type MachineSite, type MachineSiteOptions } from '@ironbark/lab/conductor';
import { OpenstackClient } from './openstack-client.ts';
import { bootTimeoutMs, enrollNode } from './volume-machine.ts';

/** What `openstack baremetal node show` tells, as far as tests look at it. */
export interface ShownNode {
  readonly provision_state: string;
  readonly power_state: string | null;
  readonly last_error: string | null;
  readonly instance_info: Readonly<Record<string, unknown>>;
  readonly driver_internal_info: Readonly<Record<string, unknown>>;
  readonly boot_mode?: string | null;
}

/** A machine at its site, enrolled and available, which tests deploy and release as often as they like. */
export class EnrolledMachine {
  readonly site: MachineSite;
  readonly openstack: OpenstackClient;
  readonly nodeUuid: string;
  readonly #files: readonly string[];
  #isDeployed = false;

  private constructor(site: MachineSite, openstack: OpenstackClient, nodeUuid: string, files: readonly string[]) {
    this.site = site;
    this.openstack = openstack;
    this.nodeUuid = nodeUuid;
    this.#files = files;
  }

  static async start(options: MachineSiteOptions): Promise<EnrolledMachine> {
    await using started = new AsyncDisposableStack();
    const site = await startMachineSite(options);
    started.defer(() => site.stop());
    const openstack = new OpenstackClient(site.conductor.url);
    const nodeUuid = await enrollNode(site, openstack, 'external');
    const machine = new EnrolledMachine(site, openstack, nodeUuid, await servedFiles(site));
    started.move();
    return machine;
  }

  /** Runs `openstack baremetal node set` with these options. */
  async set(...options: readonly (string | readonly string[])[]): Promise<void> {
    await this.openstack.baremetal('node', 'set', ...options, this.nodeUuid);
  }

  /** Deploys the node. @returns the first line on its serial port, from the power on, that matches. */
  async deployUntil(pattern: RegExp): Promise<string> {
    this.#isDeployed = true;
    const seen = this.site.machine.machine.serial.waitForLine(pattern, { timeoutMs: bootTimeoutMs });
    const [line] = await Promise.all([seen, this.deploy()]);
    return line;
  }

  async deploy(): Promise<void> {
    await this.openstack.baremetal('node', 'deploy', '--wait', '120', this.nodeUuid);
  }

  async show(): Promise<ShownNode> {
    return this.openstack.json('node', 'show', this.nodeUuid);
  }

  /** What `ironbark plan` prints. */
  async plan<Plan>(): Promise<Plan> {
    return runIronbark(this.site.siteDirectory, 'plan', this.nodeUuid);
  }

  /** Releases the node. @returns what it shows then, and the {@link servedFiles} that it left behind. */
  async release(): Promise<{ readonly node: ShownNode; readonly left: readonly string[] }> {
    await this.openstack.baremetal('node', 'undeploy', '--wait', '120', this.nodeUuid);
    this.#isDeployed = false;
    return { node: await this.show(), left: await this.servedFiles() };
  }

  /** Releases the node when a test has failed to. */
  async restore(): Promise<void> {
    if (this.#isDeployed) await this.release();
  }

  /** Boot files, links and DHCP entries that are there for the node now. */
  async servedFiles(): Promise<readonly string[]> {
    return (await servedFiles(this.site)).filter((path) => !this.#files.includes(path));
  }

  async stop(): Promise<void> {
    await this.site.stop();
  }
}

/**
 * Everything in the roots that machines fetch from, and in what is written of boot files for the DHCP server. That a card is gone stays
 * written in `dhcp/hosts`.
 */
async function servedFiles({ lab, siteDirectory }: MachineSite): Promise<readonly string[]> {
  const roots = [join(siteDirectory, 'state/http'), join(lab.directory, 'tftp'), join(lab.directory, 'dhcp/options')];
  const listed = await Promise.all(
    roots.map(async (root) => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  return listed.flat().sort();
}
