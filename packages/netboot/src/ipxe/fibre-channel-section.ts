import { invalidParameter, type BootVolume, type FibreChannelBoot, type FibreChannelConnection } from '@ironbark/core';
import { fcpUri } from './fcp-uri.ts';
import { driveNumber, maxDrives, maxPaths } from './san-drive.ts';
import type { RetryOptions } from './retry.ts';
import { sanSection, type HookedDrive } from './san-section.ts';
import type { Line } from './script-text.ts';

export interface FibreChannelSection {
  readonly sections: readonly (readonly Line[])[];
  readonly warnings: readonly string[];
}

export interface FibreChannelOptions extends RetryOptions {
  /** Whether all paths of a volume are connected together. */
  readonly multipath: boolean;
}

/**
 * Renders the labels `boot_fcp` to `fail_fcp_retry`. iPXE is the initiator, over Fibre Channel over Ethernet (FCoE), with the WWPN of its
 * network card; there is no firmware table that would tell the operating system.
 */
export function fibreChannelSection(source: FibreChannelBoot, options: FibreChannelOptions): FibreChannelSection {
  const volumes = [source.volume, ...source.extraVolumes];
  if (volumes.length > maxDrives) {
    throw invalidParameter(`The node has ${volumes.length} Fibre Channel volumes; firmware knows ${maxDrives} drives.`);
  }
  const [boot, ...extras] = volumes.map((volume, index) => hookedDrive(volume, index, options.multipath)) as [
    HookedDrive,
    ...HookedDrive[],
  ];
  const sections = sanSection({
    name: 'fcp',
    title: 'Fibre Channel',
    begin: [],
    arrangements: [{ boot, extras }],
    delaySeconds: options.delaySeconds,
  });
  const warnings = volumes
    .filter(({ connection }) => connection.paths.length > maxPaths)
    .map(({ volumeId, targetUuid }) => {
      return `Volume ${volumeId} (volume target ${targetUuid}) has more than ${maxPaths} paths; the firmware uses the first ${maxPaths} only.`;
    });
  return { sections, warnings };
}

function hookedDrive(volume: BootVolume<FibreChannelConnection>, index: number, multipath: boolean): HookedDrive {
  const uris = volume.connection.paths
    .map((path) => fcpUri(path, `volume target ${volume.targetUuid}`))
    // Paths that differ in the initiator's port only are one and the same for iPXE, which does not choose its port.
    .filter((uri, position, all) => all.indexOf(uri) === position)
    .slice(0, maxPaths);
  const single = uris.map((uri) => [uri]);
  const tries = multipath && uris.length > 1 ? [uris, ...single] : single;
  return { drive: driveNumber(index), tries, described: false, settings: [] };
}
