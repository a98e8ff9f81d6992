import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConductorProcess, pluginPaths, runIronbark } from '@ironbark/lab/conductor';
import { FaultProxy, type OpenStackAccess } from '@ironbark/lab/openstack';
import { ApiClient } from '../bench/api-client.ts';
import { cinderSettings } from './cinder-settings.ts';

/** Asking more often would cost more of the processor than the work that is waited for. */
const longestPauseMs = 200;

type Settings = Readonly<Record<string, unknown>>;

export interface NodeState {
  readonly provision_state: string;
  readonly power_state: string | null;
  readonly last_error: string | null;
  readonly reservation: string | null;
}

type ProvisionTarget = 'active' | 'deleted' | 'manage' | 'provide';
type PowerTarget = 'power on' | 'power off';

interface Report {
  readonly nodes: readonly {
    readonly skipped: unknown;
    readonly findings: readonly { readonly explanation: string }[];
  }[];
}

/** A conductor that reaches Cinder through a proxy, with one node of fake hardware, and volumes for it. */
export class CinderSite {
  readonly openstack: OpenStackAccess;
  readonly proxy: FaultProxy;
  readonly nodeUuid = randomUUID();
  readonly volumeIds: string[] = [];
  readonly #directory: string;
  readonly #started = new AsyncDisposableStack();
  #conductor: ConductorProcess;
  #api: ApiClient;

  private constructor(directory: string, openstack: OpenStackAccess, proxy: FaultProxy, conductor: ConductorProcess) {
    this.#directory = directory;
    this.openstack = openstack;
    this.proxy = proxy;
    this.#conductor = conductor;
    this.#api = new ApiClient(conductor.url);
  }

  /** @param settings of the storage driver, beside those that it logs in with. */
  static async start(openstack: OpenStackAccess, volumeCount: number, settings: Settings): Promise<CinderSite> {
    await using started = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'ironbark-cinder-'));
    started.defer(() => rm(directory, { recursive: true, force: true }));
    const proxy = await FaultProxy.start(openstack.blockStorageUrl);
    started.defer(() => proxy.stop());
    const config = siteConfig(directory, openstack, proxy, settings);
    const site = new CinderSite(directory, openstack, proxy, await ConductorProcess.start({ site: directory, config }));
    started.defer(() => site.#close());
    await site.#enroll();
    while (site.volumeIds.length < volumeCount) await site.#createVolume();
    site.#started.use(started.move());
    return site;
  }

  async stop(): Promise<void> {
    await this.#started.disposeAsync();
  }

  get pid(): number {
    return this.#conductor.pid;
  }

  get url(): string {
    return this.#conductor.url;
  }

  /** What the conductor has logged since its last start. */
  get log(): string {
    return this.#conductor.log;
  }

  /** Ends the conductor by SIGKILL. */
  async kill(): Promise<void> {
    this.#api.close();
    await this.#conductor.kill();
  }

  /** Starts the conductor after {@link kill}, with other settings where they are given. */
  async startAgain(settings?: Settings): Promise<void> {
    const site = this.#directory;
    const config = settings && siteConfig(site, this.openstack, this.proxy, settings);
    this.#conductor = await (config === undefined
      ? ConductorProcess.startAgain(site)
      : ConductorProcess.start({ site, config }));
    this.#api = new ApiClient(this.#conductor.url);
  }

  /** Gives the node targets for the first volumes. */
  async createTargets(count: number): Promise<void> {
    for (const [bootIndex, volume_id] of this.volumeIds.slice(0, count).entries()) {
      const target = { node_uuid: this.nodeUuid, volume_type: 'iscsi', boot_index: bootIndex, volume_id };
      await this.#api.call('POST', '/v1/volume/targets', { ...target, properties: {} });
    }
  }

  /** Deletes the targets of a node that was not deployed; an undeployment deletes them itself. */
  async deleteTargets(): Promise<void> {
    const path = `/v1/volume/targets?node=${this.nodeUuid}`;
    const { targets } = await this.#api.call<{ targets: { uuid: string }[] }>('GET', path);
    for (const { uuid } of targets) await this.#api.call('DELETE', `/v1/volume/targets/${uuid}`);
  }

  /** Asks for a change. @returns what the API says against it; undefined when it was accepted. */
  async request(target: ProvisionTarget | PowerTarget): Promise<string | undefined> {
    const states = target.startsWith('power') ? 'power' : 'provision';
    return this.#api.call('PUT', `/v1/nodes/${this.nodeUuid}/states/${states}`, { target }).then(
      () => undefined,
      (error: unknown) => String(error),
    );
  }

  /** What `ironbark reconcile` finds at the node, as sentences. */
  async findings(): Promise<readonly string[]> {
    const { nodes } = await runIronbark<Report>(this.#directory, 'reconcile', this.nodeUuid);
    const [node] = nodes;
    if (node === undefined || node.skipped !== null) throw new Error(`Not compared: ${JSON.stringify(node)}`);
    return node.findings.map(({ explanation }) => explanation);
  }

  /** The node when nobody works on it any more. */
  async settled(): Promise<NodeState> {
    for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const node = await this.#api.call<NodeState>('GET', `/v1/nodes/${this.nodeUuid}`);
      if (node.reservation === null) return node;
      await sleep(pauseMs);
    }
  }

  async #enroll(): Promise<void> {
    const { nodeUuid } = this;
    await this.#api.call('POST', '/v1/nodes', {
      uuid: nodeUuid,
      driver: 'fake-hardware',
      storage_interface: 'cinder',
      properties: { capabilities: 'iscsi_boot:True' },
    });
    const connector = { type: 'iqn', connector_id: `iqn.2026-01.org.example:${nodeUuid}` };
    await this.#api.call('POST', '/v1/volume/connectors', { node_uuid: nodeUuid, ...connector });
    for (const target of ['manage', 'provide'] as const) {
      await this.request(target);
      await this.settled();
    }
  }

  async #createVolume(): Promise<void> {
    const { id } = await this.openstack.createVolume({ name: `volume-${this.volumeIds.length}` });
    this.volumeIds.push(id);
  }

  async #close(): Promise<void> {
    this.#api.close();
    await this.#conductor.stop();
    for (const id of this.volumeIds) await this.openstack.deleteVolume(id);
  }
}

function siteConfig(directory: string, openstack: OpenStackAccess, proxy: FaultProxy, settings: Settings) {
  return {
    hostname: 'cinder-site',
    api: { port: 0 },
    plugins: pluginPaths('hardware-fake', 'storage-cinder'),
    enabled: {
      hardware: ['fake-hardware'],
      power: ['fake'],
      management: ['fake'],
      boot: ['fake'],
      storage: ['noop', 'cinder'],
      deploy: ['fake'],
    },
    settings: {
      fake: { state_directory: join(directory, 'machines') },
      cinder: { ...cinderSettings(openstack.details), url: proxy.url, ...settings },
    },
  };
}
