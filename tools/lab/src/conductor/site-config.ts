import { basename, dirname } from 'node:path';
import type { GuestFiles } from '../guest/image.ts';
import { LabError } from '../lab-error.ts';
import type { Firmware, MachineNetwork } from '../virtual-machine.ts';
import { pluginPaths } from './conductor-process.ts';

/** Interfaces by which a machine boots over the network, and the plugins that bring them. */
const bootPlugins = { ipxe: 'boot-ipxe', 'http-ipxe': 'boot-ipxe', pxe: 'boot-pxe-grub' } as const;

/** Where Debian puts iPXE for firmware that does not have it. */
const ipxeLoaders = { bios: '/usr/lib/ipxe/undionly.kpxe', 'uefi-x86_64': '/usr/lib/ipxe/snponly.efi' };

export type BootInterfaceName = keyof typeof bootPlugins;

/** Sections of the conductor's settings, with what differs from those of a site. */
export type SettingsSections = Readonly<Partial<Record<SectionName, Readonly<Record<string, unknown>>>>>;

type SectionName = 'netboot' | 'images' | 'ipxe' | 'grub' | 'cinder';

export interface SiteAddresses {
  /** Address that the conductor listens on. */
  readonly listen: string;
  readonly apiPort: number;
  readonly bootPort: number;
  readonly bootUrl: string;
  /** The host as machines see it. */
  readonly seenAs: string;
  /** Where the conductor writes for dnsmasq. */
  readonly dhcpDirectory: string | undefined;
  readonly tftpRoot: string;
}

/** What `ironbark.yaml` of a site with one machine says. */
export function siteConfig(
  addresses: SiteAddresses,
  boot: BootInterfaceName,
  sections: SettingsSections,
  guest: GuestFiles,
): Readonly<Record<string, unknown>> {
  const { listen, apiPort, seenAs } = addresses;
  const storage = ['external', ...(sections.cinder === undefined ? [] : ['cinder'])];
  const plugins = ['hardware-redfish', bootPlugins[boot], ...storage.map((name) => `storage-${name}`)];
  const settings = {
    ...siteSettings(addresses, boot, guest),
    ...(sections.cinder === undefined ? {} : { cinder: {} }),
  };
  return {
    hostname: 'lab',
    // Machines reach the host under an address of their own network: boot reports go there.
    api: { listen, port: apiPort, boot_report_url: `http://${seenAs}:${apiPort}` },
    plugins: pluginPaths(...plugins),
    enabled: {
      hardware: ['redfish'],
      power: ['redfish'],
      management: ['redfish'],
      boot: [boot],
      storage: ['noop', ...storage],
    },
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, own]) => [name, { ...own, ...sections[name as SectionName] }]),
    ),
    notifications: { log: true },
  };
}

function siteSettings(addresses: SiteAddresses, boot: BootInterfaceName, guest: GuestFiles): SettingsSections {
  const { listen, bootPort, bootUrl, dhcpDirectory, tftpRoot } = addresses;
  const dhcp = dhcpDirectory === undefined ? {} : { dhcp: { provider: 'dnsmasq', directory: dhcpDirectory } };
  const netboot = { listen: { host: listen, port: bootPort }, http_url: bootUrl, tftp_root: tftpRoot, ...dhcp };
  // Without a DHCP server of the lab iPXE comes from the network card.
  const loaders = dhcpDirectory === undefined ? {} : { loaders: ipxeLoaders };
  return {
    netboot,
    images: { file_directories: [dirname(guest.directory)] },
    ...(boot === 'pxe' ? { grub: { menu_timeout: 0, loaders: { 'uefi-x86_64': guest.networkLoader } } } : {}),
    ...(boot === 'pxe' ? {} : { ipxe: loaders }),
  };
}

/**
 * The network of a machine without a DHCP server of the lab: what DHCP of qemu names suits the one boot interface.
 * @throws LAB_INVALID for iPXE on UEFI: it would ask the same DHCP server that its firmware asked, and load itself again.
 */
export function userNetwork(
  boot: BootInterfaceName,
  firmware: Firmware,
  site: SiteAddresses,
  guest: GuestFiles,
): MachineNetwork {
  if (boot === 'pxe') return { kind: 'user', bootFile: basename(guest.networkLoader), tftpRoot: site.tftpRoot };
  if (boot === 'ipxe' && firmware === 'bios') return { kind: 'user', bootFile: `${site.bootUrl}/boot.ipxe` };
  throw new LabError(
    'LAB_INVALID',
    `A machine with ${firmware} and the boot interface ${boot} needs a network with dnsmasq.`,
    {
      hint: 'Give a LabNetwork as network.',
    },
  );
}
