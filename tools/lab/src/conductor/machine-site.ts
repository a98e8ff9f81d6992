import { join } from 'node:path';
import { startLab, type Lab, type LabMachine } from '../lab.ts';
import { freePort, hostSeenByGuest, loopback } from '../loopback.ts';
import { ConductorProcess, pluginPaths } from './conductor-process.ts';

export interface MachineSiteOptions {
  /** Settings of the boot driver that differ from its defaults. */
  readonly ipxe?: Readonly<Record<string, unknown>>;
  /** Settings of the storage driver for Cinder. Default: none, and it is not enabled. */
  readonly cinder?: Readonly<Record<string, unknown>>;
  /** Ends the start when it is aborted; nothing is left over then. */
  readonly signal?: AbortSignal;
}

/** A machine behind a BMC, an iSCSI target without volumes, and a conductor that knows neither yet. */
export interface MachineSite {
  readonly lab: Lab;
  readonly machine: LabMachine;
  /** The conductor that runs now; {@link MachineSite.restartConductor} replaces it. */
  readonly conductor: ConductorProcess;
  /** Directory of the conductor's site. */
  readonly siteDirectory: string;
  restartConductor(): Promise<void>;
  /** Ends every process and removes every file. */
  stop(): Promise<void>;
}

/** Starts everything that a machine needs to boot from a volume, on loopback. The machine is off. */
export async function startMachineSite({ ipxe, cinder, signal }: MachineSiteOptions = {}): Promise<MachineSite> {
  await using started = new AsyncDisposableStack();
  // The lab does not hear the signal itself: it may go only after the conductor, which writes into its directory.
  const lab = started.use(await startLab());
  signal?.throwIfAborted();
  const [apiPort, bootPort] = [await freePort(), await freePort()];
  const bootUrl = `http://${hostSeenByGuest}:${bootPort}`;
  const machine = await lab.createMachine({ name: 'machine-1', bootUrl: `${bootUrl}/boot.ipxe` });
  const siteDirectory = join(lab.directory, 'site');
  const config = siteConfig({ apiPort, bootPort, bootUrl }, { ipxe, cinder });
  let conductor = await ConductorProcess.start({ site: siteDirectory, config });
  started.defer(async () => void (await conductor.stop()));
  signal?.throwIfAborted();
  const running = started.move();
  return {
    lab,
    machine,
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

interface SiteAddresses {
  readonly apiPort: number;
  readonly bootPort: number;
  readonly bootUrl: string;
}

function siteConfig(
  { apiPort, bootPort, bootUrl }: SiteAddresses,
  drivers: Readonly<Record<'ipxe' | 'cinder', Readonly<Record<string, unknown>> | undefined>>,
): Readonly<Record<string, unknown>> {
  const hasCinder = drivers.cinder !== undefined;
  const settings = Object.entries(drivers).filter(([, section]) => section !== undefined);
  return {
    hostname: 'lab',
    // Machines reach the host under an address of their own network: boot reports go there.
    api: { port: apiPort, boot_report_url: `http://${hostSeenByGuest}:${apiPort}` },
    plugins: pluginPaths('hardware-redfish', 'boot-ipxe', 'storage-external', ...(hasCinder ? ['storage-cinder'] : [])),
    enabled: {
      hardware: ['redfish'],
      power: ['redfish'],
      management: ['redfish'],
      boot: ['ipxe'],
      storage: ['noop', 'external', ...(hasCinder ? ['cinder'] : [])],
    },
    settings: {
      netboot: { listen: { host: loopback, port: bootPort }, http_url: bootUrl },
      ...Object.fromEntries(settings),
    },
    notifications: { log: true },
  };
}
