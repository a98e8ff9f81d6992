import { createHash } from 'node:crypto';
import { renderBoot } from './boot-override.ts';
import type { SecureBoot } from './secure-boot.ts';
import type { Session } from './sessions.ts';
import { mediaSlots, resetTypes, type BmcSystem, type MediaId } from './system.ts';

export type Resource = Readonly<Record<string, unknown>>;

export const rootPath = '/redfish/v1';
export const systemPath = (id: string): string => `${rootPath}/Systems/${encodeURIComponent(id)}`;
export const managerPath = (id: string): string => `${rootPath}/Managers/${encodeURIComponent(id)}`;
export const sessionPath = (id: string): string => `${rootPath}/SessionService/Sessions/${id}`;
export const resetAction = 'Actions/ComputerSystem.Reset';
export const insertAction = 'Actions/VirtualMedia.InsertMedia';
export const ejectAction = 'Actions/VirtualMedia.EjectMedia';

const reference = (path: string): Resource => ({ '@odata.id': path });
const healthy = { State: 'Enabled', Health: 'OK' };

export function renderRoot(uuid: string): Resource {
  return {
    '@odata.type': '#ServiceRoot.v1_15_0.ServiceRoot',
    '@odata.id': `${rootPath}/`,
    Id: 'RootService',
    Name: 'Ironbark lab BMC',
    RedfishVersion: '1.18.0',
    UUID: uuid,
    Systems: reference(`${rootPath}/Systems`),
    Managers: reference(`${rootPath}/Managers`),
    SessionService: reference(`${rootPath}/SessionService`),
    Links: { Sessions: reference(`${rootPath}/SessionService/Sessions`) },
  };
}

export function renderCollection(type: string, path: string, members: readonly string[]): Resource {
  return {
    '@odata.type': `#${type}Collection.${type}Collection`,
    '@odata.id': path,
    Name: `${type} collection`,
    'Members@odata.count': members.length,
    Members: members.map(reference),
  };
}

export function renderSystem(system: BmcSystem): Resource {
  const path = systemPath(system.id);
  const { machine, powerState } = system;
  return {
    '@odata.type': '#ComputerSystem.v1_20_0.ComputerSystem',
    '@odata.id': path,
    '@odata.etag': system.etag,
    Id: system.id,
    Name: system.id,
    UUID: uuidOf(system.id),
    SystemType: 'Physical',
    Manufacturer: 'Ironbark',
    Model: 'Lab machine',
    SerialNumber: system.id,
    BiosVersion: '1.0',
    Status: { State: powerState === 'On' ? 'Enabled' : 'Disabled', Health: 'OK' },
    PowerState: powerState,
    IndicatorLED: 'Off',
    Boot: renderBoot(system.boot, system.support),
    ProcessorSummary: { Count: 1, Model: 'virtual', Status: healthy },
    MemorySummary: { TotalSystemMemoryGiB: machine.memoryMiB / 1024, Status: healthy },
    EthernetInterfaces: reference(`${path}/EthernetInterfaces`),
    Bios: reference(`${path}/Bios`),
    ...(system.secureBoot === undefined ? {} : { SecureBoot: reference(`${path}/SecureBoot`) }),
    Links: { ManagedBy: [reference(managerPath(system.id))] },
    Actions: {
      '#ComputerSystem.Reset': {
        target: `${path}/${resetAction}`,
        'ResetType@Redfish.AllowableValues': resetTypes,
      },
    },
  };
}

export function renderEthernetInterface(system: BmcSystem, index: number): Resource {
  const mac = system.machine.macAddresses[index];
  return {
    '@odata.type': '#EthernetInterface.v1_9_0.EthernetInterface',
    '@odata.id': `${systemPath(system.id)}/EthernetInterfaces/${index + 1}`,
    Id: String(index + 1),
    Name: `Network card ${index + 1}`,
    MACAddress: mac,
    PermanentMACAddress: mac,
    LinkStatus: 'LinkUp',
    SpeedMbps: 1000,
    Status: healthy,
  };
}

export function renderSecureBoot(system: BmcSystem, { isEnabled, isActive }: SecureBoot): Resource {
  return {
    '@odata.type': '#SecureBoot.v1_1_2.SecureBoot',
    '@odata.id': `${systemPath(system.id)}/SecureBoot`,
    '@odata.etag': system.etag,
    Id: 'SecureBoot',
    Name: 'UEFI Secure Boot',
    SecureBootEnable: isEnabled,
    SecureBootCurrentBoot: isActive ? 'Enabled' : 'Disabled',
    SecureBootMode: 'UserMode',
  };
}

export function renderBios(system: BmcSystem): Resource {
  const path = `${systemPath(system.id)}/Bios`;
  return {
    '@odata.type': '#Bios.v1_2_0.Bios',
    '@odata.id': path,
    Id: 'BIOS',
    Name: 'BIOS settings',
    AttributeRegistry: 'IronbarkLabBios.v1_0_0',
    Attributes: system.biosAttributes,
    '@Redfish.Settings': {
      '@odata.type': '#Settings.v1_3_5.Settings',
      SettingsObject: reference(`${path}/Settings`),
      SupportedApplyTimes: ['OnReset'],
    },
  };
}

export function renderPendingBios(system: BmcSystem): Resource {
  return {
    '@odata.type': '#Bios.v1_2_0.Bios',
    '@odata.id': `${systemPath(system.id)}/Bios/Settings`,
    Id: 'Settings',
    Name: 'BIOS settings from the next start on',
    AttributeRegistry: 'IronbarkLabBios.v1_0_0',
    Attributes: system.pendingBiosAttributes,
  };
}

export function renderManager(system: BmcSystem): Resource {
  const path = managerPath(system.id);
  return {
    '@odata.type': '#Manager.v1_19_0.Manager',
    '@odata.id': path,
    Id: system.id,
    Name: `Manager of ${system.id}`,
    ManagerType: 'BMC',
    UUID: uuidOf(`manager ${system.id}`),
    FirmwareVersion: '1.0',
    PowerState: 'On',
    Status: healthy,
    VirtualMedia: reference(`${path}/VirtualMedia`),
    Links: { ManagerForServers: [reference(systemPath(system.id))] },
  };
}

export function renderMedia(system: BmcSystem, id: MediaId): Resource {
  const path = `${managerPath(system.id)}/VirtualMedia/${id}`;
  const media = system.media(id);
  return {
    '@odata.type': '#VirtualMedia.v1_6_2.VirtualMedia',
    '@odata.id': path,
    '@odata.etag': system.etag,
    Id: id,
    Name: id === 'Cd' ? 'Virtual CD' : 'Virtual floppy',
    MediaTypes: id === 'Cd' ? ['CD', 'DVD'] : ['Floppy', 'USBStick'],
    Image: media?.image ?? null,
    ImageName: media === undefined ? null : media.image.split('/').at(-1),
    Inserted: media !== undefined,
    ConnectedVia: media === undefined ? 'NotConnected' : 'URI',
    WriteProtected: media?.writeProtected ?? true,
    TransferProtocolType: null,
    Actions: {
      '#VirtualMedia.InsertMedia': { target: `${path}/${insertAction}` },
      '#VirtualMedia.EjectMedia': { target: `${path}/${ejectAction}` },
    },
  };
}

export const mediaIds = Object.keys(mediaSlots) as readonly MediaId[];

export function renderSessionService(timeoutMs: number): Resource {
  return {
    '@odata.type': '#SessionService.v1_1_9.SessionService',
    '@odata.id': `${rootPath}/SessionService`,
    Id: 'SessionService',
    Name: 'Session service',
    ServiceEnabled: true,
    SessionTimeout: Math.ceil(timeoutMs / 1000),
    Sessions: reference(`${rootPath}/SessionService/Sessions`),
  };
}

export function renderSession(session: Session): Resource {
  return {
    '@odata.type': '#Session.v1_7_0.Session',
    '@odata.id': sessionPath(session.id),
    Id: session.id,
    Name: `Session ${session.id}`,
    UserName: session.username,
    CreatedTime: session.created.toISOString(),
  };
}

/** The same UUID for the same name: a system keeps its own over restarts of the simulator. */
export function uuidOf(name: string): string {
  const digits = createHash('sha256').update(name).digest('hex');
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(13, 16)}`, `8${digits.slice(17, 20)}`];
  return [...parts, digits.slice(20, 32)].join('-');
}
