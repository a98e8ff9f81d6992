import { join } from 'node:path';
import { guestFiles } from '../guest/image.ts';
import { defaultCacheDirectory, startLab, type Lab, type LabMachine } from '../lab.ts';
import { freePort, loopback } from '../loopback.ts';
import { DhcpServer } from '../network/dhcp-server.ts';
import type { LabNetwork } from '../network/lab-network.ts';
import type { Firmware } from '../virtual-machine.ts';
import { ConductorProcess } from './conductor-process.ts';
import {
  siteConfig,
  userNetwork,
  type BootInterfaceName,
  type SettingsSections,
  type SiteAddresses,
} from './site-config.ts';

export interface MachineSiteOptions extends SettingsSections {
  /** Of the machine. Default: `bios`. */
  readonly firmware?: Firmware;
  /** How it boots over the network; no other boot interface is enabled. Default: `ipxe`. */
  readonly boot?: BootInterfaceName;
  /**
   * Where the machine is, with dnsmasq, which reads what the conductor writes for it. Default: a user network, whose DHCP names the
   * script of iPXE, or GRUB.
   */
  readonly network?: LabNetwork;
  /** Image file of a local disk of the machine. */
  readonly disk?: string;
  /** Ends the start when it is aborted; nothing is left over then. */
  readonly signal?: AbortSignal;
}

/** A machine behind a BMC, an iSCSI target without volumes, and a conductor that knows neither yet. */
export interface MachineSite {
  readonly lab: Lab;
  readonly machine: LabMachine;
  /** Of the network; undefined for a machine on a user network. */
  readonly dhcp: DhcpServer | undefined;
  /** The conductor that runs now; {@link MachineSite.restartConductor} replaces it. */
  readonly conductor: ConductorProcess;
  /** Directory of the conductor's site. */
  readonly siteDirectory: string;
  restartConductor(): Promise<void>;
  /** Ends every process and removes every file. */
  stop(): Promise<void>;
}

/** Starts everything that a machine needs to boot from a volume, on loopback or on the network given. The machine is off. */
export async function startMachineSite(options: MachineSiteOptions = {}): Promise<MachineSite> {
  const { firmware = 'bios', boot = 'ipxe', network, disk, signal, ...sections } = options;
  await using started = new AsyncDisposableStack();
  // The lab does not hear the signal itself: it may go only after the conductor, which writes into its directory.
  const lab = started.use(await startLab(network === undefined ? {} : { network }));
  signal?.throwIfAborted();
  const guest = await guestFiles(defaultCacheDirectory());
  const addresses = await siteAddresses(lab, network);
  const machine = await lab.createMachine({
    name: 'machine-1',
    firmware,
    disk,
    ...(network === undefined ? { network: userNetwork(boot, firmware, addresses, guest) } : {}),
  });
  const siteDirectory = join(lab.directory, 'site');
  const config = siteConfig(addresses, boot, sections, guest);
  let conductor = await ConductorProcess.start({ site: siteDirectory, config });
  started.defer(async () => void (await conductor.stop()));
  const dhcp = network && (await startDhcp(network, lab.directory));
  if (dhcp !== undefined) started.use(dhcp);
  signal?.throwIfAborted();
  const running = started.move();
  return {
    lab,
    machine,
    dhcp,
    siteDirectory,
    get conductor() {
      return conductor;
    },
    async restartConductor() {
      conductor = await ConductorProcess.startAgain(siteDirectory);
    },
    stop: () => running.disposeAsync(),
  };
}

async function siteAddresses(lab: Lab, network: LabNetwork | undefined): Promise<SiteAddresses> {
  const [apiPort, bootPort] = [await freePort(), await freePort()];
  return {
    listen: network?.address ?? loopback,
    apiPort,
    bootPort,
    bootUrl: `http://${lab.hostAddress}:${bootPort}`,
    seenAs: lab.hostAddress,
    dhcpDirectory: network === undefined ? undefined : join(lab.directory, 'dhcp'),
    tftpRoot: join(lab.directory, 'tftp'),
  };
}

/** The conductor has written the file that is included. */
async function startDhcp(network: LabNetwork, directory: string): Promise<DhcpServer> {
  return DhcpServer.start({ network, directory, configurationFiles: [join(directory, 'dhcp', 'ironbark.conf')] });
}
