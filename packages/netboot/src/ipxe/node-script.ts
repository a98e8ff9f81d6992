import { IronbarkError, type BootReportUrl, type BootSource, type RamdiskBoot, type SecretText } from '@ironbark/core';
import { iscsiSection } from './iscsi-section.ts';
import { ramdiskSection, type RamdiskOptions } from './ramdisk-section.ts';
import { failLines } from './retry.ts';
import type { SanOptions } from './san-drives.ts';
import { scriptText, type Line } from './script-text.ts';

export interface NodeScriptOptions extends RamdiskOptions, SanOptions {
  /** How often a boot is tried before the failure is reported. */
  readonly attempts: number;
  readonly rebootDelaySeconds: number;
}

export interface NodeScriptRequest {
  readonly source: BootSource;
  readonly reportUrl: BootReportUrl | null;
  /** A ramdisk that can be chosen at the machine beside what it boots from. */
  readonly ramdisk?: RamdiskBoot | undefined;
}

export interface NodeScript {
  readonly content: SecretText;
  /** What the operator should know. */
  readonly warnings: readonly string[];
}

/** Set at the iPXE shell to start another label of the script than the usual one. */
export const entrySetting = 'ironbark-entry';

/**
 * Renders the script of one node. Pure.
 * @throws INVALID_PARAMETER naming the field whose value iPXE would not take literally, UNSUPPORTED for a source that iPXE cannot boot.
 */
export function renderNodeScript(request: NodeScriptRequest, options: NodeScriptOptions): NodeScript {
  const { source, ramdisk, reportUrl } = request;
  const fail = failLines(reportUrl, options.rebootDelaySeconds);
  switch (source.kind) {
    case 'iscsi': {
      const { sections, warnings } = iscsiSection(source, options);
      const others = ramdisk === undefined ? [] : ramdiskSection(ramdisk, options);
      const choice = ramdisk === undefined ? [] : [`isset \${${entrySetting}} && goto \${${entrySetting}} ||`];
      const head = header(options, 'boot_iscsi', choice);
      return { content: scriptText([...head, ...sections, ...others, fail]), warnings };
    }
    case 'ramdisk':
      return {
        content: scriptText([...header(options, 'deploy'), ...ramdiskSection(source, options), fail]),
        warnings: [],
      };
    case 'local_disk':
    case 'hba':
      // The firmware goes on to its next boot device.
      return { content: scriptText([['#!ipxe'], [':boot_whole_disk', 'exit 0']]), warnings: [] };
    case 'fibre_channel':
    case 'nfs':
      break;
  }
  throw new IronbarkError('UNSUPPORTED', `iPXE cannot boot from a ${source.kind} volume.`, {
    hint: 'Use a volume of type "iscsi" for boot index 0.',
  });
}

function header(options: NodeScriptOptions, entry: string, choice: readonly Line[] = []): readonly (readonly Line[])[] {
  const counters = [`set attempts:int32 ${options.attempts}`, 'set i:int32 0', 'set delay:int32 0'];
  return [['#!ipxe'], [...counters, ...choice, `goto ${entry}`]];
}
