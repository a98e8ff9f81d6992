import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@ironbark/core';
import { netbootConfig, openNetboot, type Netboot } from '@ironbark/netboot';
import { IpxeBoot, ipxeConfig } from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface Site {
  /** Holds the roots and nothing else. */
  readonly directory: string;
  readonly http: string;
  readonly netboot: Netboot;
  readonly boot: IpxeBoot;
}

export interface SiteOptions {
  readonly ipxe?: unknown;
  readonly netboot?: object;
}

/** The driver on an empty tree of boot files. */
export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const directory = join(await temporaryDirectory(), 'site');
  await mkdir(directory);
  const config = netbootConfig.parse(options.netboot ?? { http_url: 'http://192.0.2.1:8080' });
  const netboot = await openNetboot({ config, stateDirectory: directory, log: silentLogger });
  const boot = new IpxeBoot(netboot, ipxeConfig.parse(options.ipxe));
  return { directory, http: join(directory, 'http'), netboot, boot };
}
