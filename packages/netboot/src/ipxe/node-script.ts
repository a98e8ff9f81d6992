import type { BootMode, BootReportUrl, FibreChannelBoot, IscsiBoot, LocalDiskBoot, SecretText } from '@ironbark/core';
import { fibreChannelSection } from './fibre-channel-section.ts';
import { iscsiSection } from './iscsi-section.ts';
import { isoSection, type IsoEntry } from './iso-section.ts';
import { kernelSection, type KernelEntry, type KernelOptions } from './kernel-section.ts';
import { failLines } from './retry.ts';
import type { SanOptions } from './san-drives.ts';
import { scriptText, type Line } from './script-text.ts';

export interface NodeScriptOptions extends KernelOptions, Omit<SanOptions, 'bootMode'> {
  /** How often a boot is tried before the failure is reported. */
  readonly attempts: number;
  readonly rebootDelaySeconds: number;
}

/** What a script boots: a boot source whose images have URLs. */
export type ScriptSource =
  | Omit<IscsiBoot, 'system'>
  | FibreChannelBoot
  | LocalDiskBoot
  | (KernelEntry & { readonly kind: 'ramdisk' | 'nfs' })
  | IsoEntry;

export interface NodeScriptRequest {
  readonly source: ScriptSource;
  readonly reportUrl: BootReportUrl | null;
  /** Null or missing: not known. */
  readonly bootMode?: BootMode | null;
  /** A ramdisk that can be chosen at the machine beside what it boots from. */
  readonly ramdisk?: KernelEntry | undefined;
}

export interface NodeScript {
  readonly content: SecretText;
  /** What the operator should know. */
  readonly warnings: readonly string[];
}

interface Sections {
  readonly sections: readonly (readonly Line[])[];
  readonly warnings: readonly string[];
}

/** Set at the iPXE shell to start another label of the script than the usual one. */
export const entrySetting = 'ironbark-entry';

/** Label of the script by the kind of its source. */
const entries = {
  iscsi: 'boot_iscsi',
  fibre_channel: 'boot_fcp',
  nfs: 'boot_nfs',
  ramdisk: 'boot_ramdisk',
  iso: 'boot_iso',
} as const;

/**
 * Renders the script of one node. Pure.
 * @throws INVALID_PARAMETER naming the field whose value iPXE would not take literally.
 */
export function renderNodeScript(request: NodeScriptRequest, options: NodeScriptOptions): NodeScript {
  const { source, ramdisk, reportUrl, bootMode = null } = request;
  // The firmware goes on to its next boot device.
  if (source.kind === 'local_disk') {
    return { content: scriptText([['#!ipxe'], [':boot_whole_disk', 'exit 0']]), warnings: [] };
  }
  const { sections, warnings } = sectionsOf(source, { ...options, bootMode });
  const others = ramdisk ? kernelSection(ramdisk, { label: 'deploy', title: 'the ramdisk' }, options) : [];
  const choice = ramdisk ? [`isset \${${entrySetting}} && goto \${${entrySetting}} ||`] : [];
  const counters = [`set attempts:int32 ${options.attempts}`, 'set i:int32 0', 'set delay:int32 0'];
  const begin = [...counters, ...choice, `goto ${entries[source.kind]}`];
  const fail = failLines(reportUrl, options.rebootDelaySeconds);
  return { content: scriptText([['#!ipxe'], begin, ...sections, ...others, fail]), warnings };
}

function sectionsOf(source: Exclude<ScriptSource, LocalDiskBoot>, options: NodeScriptOptions & SanOptions): Sections {
  switch (source.kind) {
    case 'iscsi':
      return iscsiSection(source, options);
    case 'fibre_channel':
      return fibreChannelSection(source, options);
    case 'iso':
      return { sections: isoSection(source, options), warnings: [] };
    case 'nfs':
    case 'ramdisk':
      break;
  }
  const title = source.kind === 'nfs' ? 'the system of the NFS root' : 'the ramdisk';
  return { sections: kernelSection(source, { label: entries[source.kind], title }, options), warnings: [] };
}
