import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { defaultCacheDirectory, distributionInitramfs, guestFiles, type InitramfsGenerator } from '@ironbark/lab';
import { startMachineSite, type MachineSite } from '@ironbark/lab/conductor';
import { LabNetwork } from '@ironbark/lab/network';
import { startOpenStack, type OpenStack } from '@ironbark/lab/openstack';
import { onTestFailed, vi } from 'vitest';
import { ApiClient } from '../bench/api-client.ts';
import { OpenstackClient } from '../end-to-end/openstack-client.ts';
import { bootTimeoutMs, enrollNode } from '../end-to-end/volume-machine.ts';
import { cinderSettings } from '../live/cinder-settings.ts';
import { CloudClient } from './cloud-client.ts';

/** What the guest said of itself when it ran from its volume. */
export interface BootedGuest {
  /** The kernel's command line. */
  readonly commandLine: string;
  /** The line about its root. */
  readonly root: string;
  /** CHAP user of its session. */
  readonly chapUser: string;
}

/** Keystone, Glance and Cinder, and a UEFI machine that boots by GRUB, on one network. */
export class GrubSite {
  readonly network: LabNetwork;
  readonly cloud: OpenStack;
  readonly site: MachineSite;
  readonly openstack: OpenstackClient;
  readonly nodeUuid: string;
  /** Of somebody who owns images and volumes. */
  readonly user: CloudClient;
  readonly #started: AsyncDisposableStack;

  private constructor(parts: Pick<GrubSite, 'network' | 'cloud' | 'site' | 'nodeUuid'>, started: AsyncDisposableStack) {
    const { network, cloud, site, nodeUuid } = parts;
    this.network = network;
    this.cloud = cloud;
    this.site = site;
    this.openstack = new OpenstackClient(site.conductor.url);
    this.nodeUuid = nodeUuid;
    this.user = new CloudClient(cloud.details, cloud.users.demo);
    this.#started = started;
  }

  static async start(): Promise<GrubSite> {
    await using started = new AsyncDisposableStack();
    const network = started.use(await LabNetwork.start());
    const cloud = started.use(await startOpenStack({ image: true, network }));
    const settings = cinderSettings(cloud.details);
    const { action_retry_interval: _, ...glance } = settings;
    const site = await startMachineSite({
      firmware: 'uefi',
      boot: 'pxe',
      network,
      cinder: settings,
      images: { glance, file_directories: [] },
    });
    started.defer(() => site.stop());
    const nodeUuid = await enrollNode(site, new OpenstackClient(site.conductor.url), 'cinder');
    return new GrubSite({ network, cloud, site, nodeUuid }, started.move());
  }

  get macAddress(): string {
    return this.site.machine.machine.macAddresses[0] ?? '';
  }

  async stop(): Promise<void> {
    await this.#started.disposeAsync();
  }

  /** Uploads kernel and ramdisk, and the partition image of the guest that names them. @returns the id of the latter. */
  async uploadSystem(generator: InitramfsGenerator, properties: Readonly<Record<string, string>>): Promise<string> {
    const cache = defaultCacheDirectory();
    const { kernel, partition } = await guestFiles(cache);
    const parts = { kernel: ['aki', kernel], ramdisk: ['ari', await distributionInitramfs(generator, cache)] } as const;
    const ids = Object.entries(parts).map(async ([name, [format, path]]) => {
      const id = await this.#upload(name, path, format, format);
      return [`${name}_id`, id] as const;
    });
    const all = { ...Object.fromEntries(await Promise.all(ids)), ...properties };
    return this.#upload(generator, partition, 'raw', 'bare', all);
  }

  async createVolume(image: string): Promise<string> {
    const id = await this.user.id('volume', 'create', '--image', image, '--size', '1', '--bootable', 'root-1');
    const isReady = async () => (await this.cloud.volume(id)).status === 'available';
    await vi.waitUntil(isReady, { timeout: 60_000, interval: 200 });
    return id;
  }

  /** Types what docs/network-boot.md has typed for a node; the connector is there. */
  async describeNode(image: string, volume: string, ...more: readonly string[]): Promise<void> {
    const { openstack, nodeUuid } = this;
    // The next test has the same machine, and this one may have failed after its own undeployment.
    onTestFailed(async () => {
      await openstack.baremetal('node', 'undeploy', '--wait', '120', nodeUuid).catch(() => null);
    });
    await openstack.baremetal(
      ['node', 'set', '--boot-interface', 'pxe', '--storage-interface', 'cinder'],
      ['--property', 'capabilities=boot_mode:uefi,iscsi_boot:True,boot_option:netboot'],
      ['--instance-info', `image_source=${image}`, ...more, nodeUuid],
    );
    await openstack.baremetal(
      ['volume', 'target', 'create', '--node', nodeUuid, '--type', 'iscsi'],
      ['--boot-index', '0', '--volume-id', volume],
    );
  }

  /** Settles when the machine runs from its volume; to be called before it is switched on. */
  async booted(): Promise<BootedGuest> {
    const { serial } = this.site.machine.machine;
    const says = (what: string) =>
      serial.waitForLine(new RegExp(`IRONBARK-GUEST ${what} `), { timeoutMs: bootTimeoutMs });
    const [commandLine, session, root] = await Promise.all([says('ARGUMENTS'), says('SESSION'), says('ROOT-OK')]);
    return {
      commandLine: commandLine.replace(/^.*? ARGUMENTS /, ''),
      root,
      chapUser: /\bchap=(\S+)/.exec(session)?.[1] ?? '',
    };
  }

  /** Switches the power by the real client, and waits until the conductor has nothing left to do. */
  async power(target: 'on' | 'off'): Promise<void> {
    await this.openstack.baremetal('node', 'power', target, this.nodeUuid);
    const api = new ApiClient(this.site.conductor.url);
    const isDone = async () => {
      const node = await api.call<{ power_state: string; reservation: unknown }>('GET', `/v1/nodes/${this.nodeUuid}`);
      return node.power_state === `power ${target}` && node.reservation === null;
    };
    try {
      await vi.waitUntil(isDone, { timeout: 60_000, interval: 200 });
    } finally {
      api.close();
    }
  }

  /** The configuration that GRUB is given. */
  async configuration(): Promise<string> {
    return readFile(join(this.site.lab.directory, 'tftp', this.nodeUuid, 'config'), 'utf8');
  }

  /** All files and links in the directories that machines and dnsmasq read. */
  async published(): Promise<readonly string[]> {
    const { lab, siteDirectory } = this.site;
    const roots = {
      tftp: join(lab.directory, 'tftp'),
      dhcp: join(lab.directory, 'dhcp'),
      http: join(siteDirectory, 'state/netboot/http'),
    };
    const files = Object.entries(roots).map(async ([name, root]) => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(name, relative(root, entry.parentPath), entry.name));
    });
    return (await Promise.all(files)).flat().sort();
  }

  async #upload(
    name: string,
    path: string,
    diskFormat: string,
    containerFormat: string,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    return this.user.id(
      ['image', 'create', '--file', path, '--disk-format', diskFormat, '--container-format', containerFormat],
      Object.entries(properties).flatMap(([key, value]) => ['--property', `${key}=${value}`]),
      name,
    );
  }
}
