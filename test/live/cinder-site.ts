import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConductorProcess, pluginPaths } from '@ironbark/lab/conductor';
import { FaultProxy, type OpenStackAccess } from '@ironbark/lab/openstack';
import { ApiClient } from '../bench/api-client.ts';
import { cinderSettings } from './cinder-settings.ts';

export type Protocol = 'attachments' | 'volume-actions';

export interface NodeState {
  readonly provision_state: string;
  readonly last_error: string | null;
  readonly reservation: string | null;
}

export interface LaneOptions {
  readonly protocol: Protocol;
  /** Seconds that a call to Cinder may take. */
  readonly callTimeoutSeconds: number;
}

/** A conductor whose calls to Cinder can go wrong, with one node of fake hardware and volumes for it. */
export class FaultLane {
  readonly openstack: OpenStackAccess;
  readonly proxy: FaultProxy;
  readonly nodeUuid: string;
  readonly volumeIds: readonly string[];
  readonly #site: string;
  #conductor: ConductorProcess;
  #api: ApiClient;

  private constructor(parts: LaneParts) {
    this.openstack = parts.openstack;
    this.proxy = parts.proxy;
    this.nodeUuid = parts.nodeUuid;
    this.volumeIds = parts.volumeIds;
    this.#site = parts.site;
    this.#conductor = parts.conductor;
    this.#api = new ApiClient(parts.conductor.url);
  }

  static async start(openstack: OpenStackAccess, volumeCount: number, options: LaneOptions): Promise<FaultLane> {
    const site = await mkdtemp(join(tmpdir(), 'ironbark-faults-'));
    const proxy = await FaultProxy.start(openstack.blockStorageUrl);
    const conductor = await ConductorProcess.start({ site, config: siteConfig(site, openstack, proxy, options) });
    const volumeIds: string[] = [];
    for (let index = 0; index < volumeCount; index += 1) {
      volumeIds.push((await openstack.createVolume({ name: `fault-${index}` })).id);
    }
    const nodeUuid = randomUUID();
    const lane = new FaultLane({ openstack, proxy, nodeUuid, volumeIds, site, conductor });
    await lane.#enroll();
    return lane;
  }

  async stop(): Promise<void> {
    this.#api.close();
    await this.#conductor.stop();
    await this.proxy.stop();
    await rm(this.#site, { recursive: true, force: true });
    for (const id of this.volumeIds) await this.openstack.deleteVolume(id);
  }

  /** Ends the conductor by SIGKILL. */
  async kill(): Promise<void> {
    this.#api.close();
    await this.#conductor.kill();
  }

  /** Starts the conductor after {@link kill}. */
  async startAgain(): Promise<void> {
    this.#conductor = await ConductorProcess.startAgain(this.#site);
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
    const { targets } = await this.#api.call<{ targets: { uuid: string }[] }>('GET', `/v1/volume/targets?node=${this.nodeUuid}`);
    for (const { uuid } of targets) await this.#api.call('DELETE', `/v1/volume/targets/${uuid}`);
  }

  /** Asks for a verb. @returns what the API says against it; undefined when it was accepted. */
  async request(target: 'active' | 'deleted' | 'manage' | 'provide'): Promise<string | undefined> {
    const path = `/v1/nodes/${this.nodeUuid}/states/provision`;
    return this.#api.call('PUT', path, { target }).then(
      () => undefined,
      (error: unknown) => String(error),
    );
  }

  /** The node when nobody works on it any more. */
  async settled(): Promise<NodeState> {
    for (;;) {
      const node = await this.#api.call<NodeState>('GET', `/v1/nodes/${this.nodeUuid}`);
      if (node.reservation === null) return node;
      await sleep(20);
    }
  }


  async #enroll(): Promise<void> {
    await this.#api.call('POST', '/v1/nodes', {
      uuid: this.nodeUuid,
      driver: 'fake-hardware',
      storage_interface: 'cinder',
      properties: { capabilities: 'iscsi_boot:True' },
    });
    const connector = { node_uuid: this.nodeUuid, type: 'iqn', connector_id: `iqn.2026-01.org.example:${this.nodeUuid}` };
    await this.#api.call('POST', '/v1/volume/connectors', connector);
    for (const target of ['manage', 'provide'] as const) {
      await this.request(target);
      await this.settled();
    }
  }
}

interface LaneParts {
  readonly openstack: OpenStackAccess;
  readonly proxy: FaultProxy;
  readonly nodeUuid: string;
  readonly volumeIds: readonly string[];
  readonly site: string;
  readonly conductor: ConductorProcess;
}

function siteConfig(site: string, openstack: OpenStackAccess, proxy: FaultProxy, options: LaneOptions) {
  return {
    hostname: 'faults',
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
      fake: { state_directory: join(site, 'machines') },
      cinder: {
        ...cinderSettings(openstack.details),
        url: proxy.url,
        attachment_api: options.protocol,
        url_timeout: options.callTimeoutSeconds,
        // Every fault reaches the driver, instead of a repetition of the request.
        retries: 0,
        action_retries: 1,
      },
    },
  };
}
