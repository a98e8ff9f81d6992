import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createHooks,
  IronbarkError,
  parseVolumeConnection,
  secretText,
  silentLogger,
  type BootDevice,
  type BootInterface,
  type BootMode,
  type DriverRegistry,
  type InstanceImage,
  type InterfaceTypes,
  type ManagementInterface,
  type Node,
  type Notification,
  type PowerState,
  type StorageInterface,
  type Task,
  type VolumeOutcome,
} from '@ironbark/core';
import { openSqliteStore, type Store } from '@ironbark/store';
import { onTestFinished } from 'vitest';
import { BooksStorage } from './books-storage.ts';
import { builtinDrivers, createEngine, type EngineOptions, type RunningEngine } from '../src/index.ts';

/** A machine park in memory that writes down what it is asked to do. */
export interface Lab {
  readonly store: Store;
  readonly engine: RunningEngine;
  /** Calls that changed something, in their order: `attach`, `power off` … */
  readonly calls: string[];
  readonly notifications: string[];
  /** The notifications themselves. */
  readonly published: Notification[];
  /** Calls, notifications and provision states as one sequence. */
  readonly timeline: string[];
  /** Names of calls that fail. */
  readonly failing: Set<string>;
  /** Whether attach gives the connections of the volumes. */
  connects: boolean;
  /** What the storage reports of single volumes at an attachment or a release, before it succeeds or fails. */
  outcomes: readonly VolumeOutcome[];
  /** Called before each call; may wait. */
  onCall: ((call: string, task: Task) => Promise<void> | void) | undefined;
  /** Called before each look at a power state; may wait or throw. */
  onLook: ((task: Task) => Promise<void> | void) | undefined;
  readonly powerStates: Map<string, PowerState>;
  readonly attached: Set<string>;
  readonly bootFiles: Map<string, string>;
  /** Behind the storage interface `books`. */
  readonly books: BooksStorage;
  /** What the boot interface `network` finds out about images. */
  image: InstanceImage;
  /** The firmware behind the management interface `firmware`. */
  readonly firmware: { bootMode: BootMode | null; secureBoot: boolean | null };
  /** A second engine on the same store, as after a restart. */
  restart(options?: Partial<EngineOptions>): RunningEngine;
}

export async function createLab(options: Partial<EngineOptions> = {}): Promise<Lab> {
  const directory = mkdtempSync(join(tmpdir(), 'ironbark-engine-'));
  const store = await openSqliteStore({ file: join(directory, 'ironbark.db'), keyFile: join(directory, 'secret.key') });
  const hooks = createHooks();
  const notifications: string[] = [];
  const timeline: string[] = [];
  const published: Notification[] = [];
  hooks.notification.tap('test', (notification: Notification) => {
    published.push(notification);
    notifications.push(notification.eventType);
    timeline.push(notification.eventType);
  });
  hooks.provisionStateChanged.tap('test', ({ provisionState }) => void timeline.push(`→ ${provisionState}`));
  const state = {
    calls: [] as string[],
    timeline,
    failing: new Set<string>(),
    connects: true,
    outcomes: [] as readonly VolumeOutcome[],
    onCall: undefined as Lab['onCall'],
    onLook: undefined as Lab['onLook'],
    powerStates: new Map<string, PowerState>(),
    attached: new Set<string>(),
    bootFiles: new Map<string, string>(),
    books: new BooksStorage(),
    image: {
      kernel: { kind: 'url', url: 'http://192.0.2.1/kernel' },
      ramdisk: { kind: 'url', url: 'http://192.0.2.1/ramdisk' },
      bootIso: { kind: 'url', url: 'http://192.0.2.1/system.iso' },
      root: 'LABEL=root',
      initramfsType: null,
    } as InstanceImage,
    firmware: { bootMode: 'bios' as BootMode | null, secureBoot: false as boolean | null },
  };
  const registry = createRegistry(state);
  const restart = (changes: Partial<EngineOptions> = {}) => {
    return createEngine({
      hostname: 'conductor-1',
      store,
      registry,
      hooks,
      log: silentLogger,
      apiUrl: async () => 'http://api',
      lockWaitMs: 0,
      ...options,
      ...changes,
    });
  };
  const engine = restart();
  onTestFinished(async () => {
    await engine.stop(0);
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return Object.assign(state, { store, engine, notifications, published, restart });
}

type LabState = Pick<
  Lab,
  | 'calls'
  | 'timeline'
  | 'connects'
  | 'outcomes'
  | 'failing'
  | 'onCall'
  | 'onLook'
  | 'powerStates'
  | 'attached'
  | 'bootFiles'
  | 'books'
  | 'image'
  | 'firmware'
>;

function createRegistry(lab: LabState): DriverRegistry {
  const interfaces: InterfaceTypes = createInterfaces(lab);
  return {
    hardwareTypes: new Map([
      [
        'test',
        {
          interfaces: {
            power: ['test'],
            management: ['test', 'firmware'],
            boot: ['test', 'diskless', 'network', 'http', 'uefi', 'grub', 'imageless'],
            storage: ['test', 'sticky', 'books'],
            deploy: ['test', 'volume', 'ramdisk'],
          },
        },
      ],
    ]),
    interfaces: {
      power: new Map([['test', interfaces.power]]),
      management: new Map([
        ['test', interfaces.management],
        ['firmware', firmwareManagement(lab, interfaces.management)],
      ]),
      boot: new Map([
        ['test', interfaces.boot],
        ['diskless', { ...interfaces.boot, capabilities: [] }],
        ['network', networkBoot(lab, interfaces.boot)],
        ['http', httpBoot(interfaces.boot)],
        ['uefi', { ...interfaces.boot, capabilities: ['iscsi_volume_boot', 'uefi_only'] }],
        ['grub', { ...networkBoot(lab, interfaces.boot), capabilities: ['iscsi_volume_boot', 'kernel_from_image'] }],
        ['imageless', { ...interfaces.boot, capabilities: ['nfs_volume_boot'] }],
      ]),
      storage: new Map<string, StorageInterface>([
        ['test', interfaces.storage],
        ['sticky', { ...interfaces.storage, followsPower: false }],
        ['books', lab.books],
        ['noop', builtinDrivers['storage:noop']],
      ]),
      deploy: new Map([
        ['test', interfaces.deploy],
        ['volume', builtinDrivers['deploy:volume']],
        ['ramdisk', builtinDrivers['deploy:ramdisk']],
      ]),
      vendor: new Map([['test', interfaces.vendor]]),
      network: new Map([['noop', builtinDrivers['network:noop']]]),
    },
    defaults: {},
  };
}

function createInterfaces(lab: LabState): InterfaceTypes {
  const call = async (name: string, task: Task) => {
    await lab.onCall?.(name, task);
    if (lab.failing.has(name)) throw new IronbarkError('BMC_FAILURE', `${name} failed.`);
    task.signal.throwIfAborted();
    lab.calls.push(name);
    lab.timeline.push(name);
  };
  const nothing = async () => {};
  return {
    power: {
      validate: nothing,
      async getPowerState(task) {
        const { node } = task;
        await lab.onLook?.(task);
        if (lab.failing.has('get power state')) throw new IronbarkError('BMC_UNREACHABLE', 'The BMC does not answer.');
        return lab.powerStates.get(node.uuid) ?? 'power off';
      },
      async setPowerState(task, target) {
        await call(target, task);
        lab.powerStates.set(
          task.node.uuid,
          target === 'power off' || target === 'soft power off' ? 'power off' : 'power on',
        );
      },
    },
    management: {
      validate: nothing,
      supportedBootDevices: async () => ['pxe', 'disk'],
      getBootDevice: async () => ({ bootDevice: 'pxe', persistent: true }),
      setBootDevice: (task, device, persistent) =>
        call(`boot device ${device}${persistent ? ' persistently' : ''}`, task),
    },
    boot: {
      capabilities: ['iscsi_volume_boot'],
      validate: nothing,
      render(_task, { source, reportUrl }) {
        const portal =
          'volume' in source && source.volume.connection.kind === 'iscsi'
            ? source.volume.connection.paths[0]?.portal.host
            : '';
        const content =
          reportUrl === null
            ? secretText`${source.kind} ${portal ?? ''}`
            : secretText`${source.kind} ${portal ?? ''} ${reportUrl.prefix}${reportUrl.token}`;
        return {
          files: [{ root: 'http', path: 'config', content }],
          links: [],
          bootDevice: source.kind === 'local_disk' || source.kind === 'hba' ? 'disk' : 'pxe',
          warnings: [],
        };
      },
      async apply(task, artifacts) {
        await call('write boot files', task);
        lab.bootFiles.set(task.node.uuid, artifacts.files[0]?.content.reveal() ?? '');
      },
      async cleanUp(task) {
        await call('remove boot files', task);
        lab.bootFiles.delete(task.node.uuid);
      },
    },
    storage: {
      validate: nothing,
      async attach(task, onVolume) {
        for (const outcome of lab.outcomes) onVolume?.(outcome);
        await call('attach', task);
        lab.attached.add(task.node.uuid);
        if (!lab.connects) return [];
        return task.volumeTargets.map((target) => ({
          target,
          connection: parseVolumeConnection(target.volumeType, target.properties, 'target'),
        }));
      },
      async detach(task, onVolume) {
        for (const outcome of lab.outcomes) onVolume?.(outcome);
        await call('detach', task);
        lab.attached.delete(task.node.uuid);
      },
      shouldWriteImage: ({ node, volumeTargets }) =>
        'image_source' in node.instanceInfo || !volumeTargets.some(({ bootIndex }) => bootIndex === 0),
      plan: async ({ volumeTargets }) => ({
        calls: volumeTargets.map((target) => ({ target: target.uuid, action: 'attach' })),
        volumes: volumeTargets.map((target) => ({
          target,
          connection: parseVolumeConnection(target.volumeType, target.properties, 'target'),
        })),
        warnings: [],
      }),
    },
    deploy: {
      validate: nothing,
      deploy: (task) => call('deploy', task),
      cleanUp: (task) => call('clean up deployment', task),
    },
    vendor: {
      validate: async (task) => lab.onCall?.('validate vendor', task),
      methods: {
        echo: { httpMethods: ['POST'], description: 'Says it again.', run: async (_task, body) => body },
        slow: { httpMethods: ['POST'], description: 'Takes a while.', async: true, run: (task) => call('slow', task) },
      },
    },
    network: builtinDrivers['network:noop'],
  };
}

/** Boots everything, and serves what {@link Lab.image} says. */
function networkBoot(lab: LabState, plain: BootInterface): BootInterface {
  return {
    ...plain,
    capabilities: ['iscsi_volume_boot', 'fibre_channel_volume_boot', 'nfs_volume_boot', 'ramdisk_boot', 'iso_boot'],
    async describeImage(task) {
      await lab.onCall?.('describe image', task);
      if (lab.failing.has('describe image')) throw new IronbarkError('INTERNAL', 'describe image failed.');
      lab.timeline.push('describe image');
      return lab.image;
    },
    render(task, request) {
      const { source } = request;
      const images = 'kernel' in source ? [{ root: 'http', path: 'kernel', image: source.kernel } as const] : [];
      return { ...plain.render(task, request), images };
    },
  };
}

function httpBoot(plain: BootInterface): BootInterface {
  return {
    ...plain,
    render: (task, request) => {
      const artifacts = plain.render(task, request);
      return { ...artifacts, bootDevice: 'uefihttp', httpBootUrl: 'http://192.0.2.1/loader.efi' };
    },
  };
}

function firmwareManagement(lab: LabState, plain: ManagementInterface): ManagementInterface {
  const change = (what: string, task: Task) => plain.setBootDevice(task, what as BootDevice, false);
  return {
    ...plain,
    getBootMode: async () => lab.firmware.bootMode,
    async setBootMode(task, mode) {
      await change(`mode ${mode}`, task);
      lab.firmware.bootMode = mode;
    },
    getSecureBoot: async () => lab.firmware.secureBoot,
    async setSecureBoot(task, enabled) {
      await change(`secure boot ${enabled}`, task);
      lab.firmware.secureBoot = enabled;
    },
    setHttpBootUrl: (task, url) => change(`url ${url}`, task),
  };
}

/** A node that is available, with a boot volume over iSCSI. */
export async function volumeNode(lab: Lab, changes: Partial<Node> = {}): Promise<string> {
  const { uuid } = await lab.engine.nodes.create({ driver: 'test', properties: { capabilities: 'iscsi_boot:True' } });
  await lab.engine.ports.create({ nodeUuid: uuid, address: '52:54:00:00:00:01' });
  await lab.engine.volumeConnectors.create({
    nodeUuid: uuid,
    type: 'iqn',
    connectorId: `iqn.2026-01.org.example:${uuid}`,
  });
  await lab.engine.volumeTargets.create({
    nodeUuid: uuid,
    volumeType: 'iscsi',
    bootIndex: 0,
    volumeId: 'volume-0',
    properties: { target_portal: '192.0.2.1:3260', target_iqn: 'iqn.2026-01.org.example:volume-0', target_lun: 0 },
  });
  await lab.store.nodes.update(uuid, { provisionState: 'available', powerState: 'power off', ...changes });
  return uuid;
}

/** Asks for a verb and waits until its operation has ended. */
export async function provision(
  lab: Lab,
  uuid: string,
  verb: Parameters<RunningEngine['provisioning']['request']>[1]['verb'],
): Promise<Node> {
  await lab.engine.provisioning.request(uuid, { verb });
  await lab.engine.idle();
  return lab.engine.nodes.get(uuid);
}

/** A node that was deployed, as after `power off` or not; what happened on the way is forgotten. */
export async function activeNode(
  lab: Lab,
  powerState: 'power on' | 'power off',
  interfaces: Partial<Node['interfaces']> = {},
): Promise<string> {
  const uuid = await volumeNode(lab);
  await lab.engine.nodes.update(uuid, () => ({ interfaces }));
  await provision(lab, uuid, 'deploy');
  if (powerState === 'power off') {
    await lab.engine.power.request(uuid, 'power off', null);
    await lab.engine.idle();
  }
  for (const seen of [lab.calls, lab.notifications, lab.published, lab.timeline]) seen.length = 0;
  return uuid;
}
