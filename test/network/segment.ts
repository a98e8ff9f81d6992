import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@ironbark/core';
import { LabNetwork } from '@ironbark/lab/network';
import { netbootConfig, openNetboot, type Netboot } from '@ironbark/netboot';
import { onTestFinished } from 'vitest';

/** A lab network with a folder for what its servers read and write; both go when the test ends. */
export interface Segment {
  readonly network: LabNetwork;
  readonly directory: string;
}

export async function startSegment(): Promise<Segment> {
  const directory = await mkdtemp(join(tmpdir(), 'network-test-'));
  onTestFinished(async () => rm(directory, { recursive: true }));
  // Servers read here under accounts of their own.
  await chmod(directory, 0o755);
  const network = await LabNetwork.start();
  onTestFinished(async () => network.stop());
  return { network, directory };
}

/** What the conductor publishes boot files and DHCP entries with; `dhcp/ironbark.conf` in the folder is for dnsmasq. */
export async function openSegmentNetboot({ network, directory }: Segment): Promise<Netboot> {
  const dhcp = { provider: 'dnsmasq', directory: join(directory, 'dhcp') };
  const config = netbootConfig.parse({ dhcp, listen: { host: network.address, port: 0 } });
  const netboot = await openNetboot({ config, stateDirectory: directory, log: silentLogger });
  onTestFinished(() => netboot.close());
  return netboot;
}
