import { formatImageReference, silentLogger, type BootArtifacts, type FirmwareRequest } from '@ironbark/core';
import type { Plan } from '@ironbark/engine';
import { bootReportUrlOf } from '../api-address.ts';
import { composeConductor } from '../compose.ts';
import { loadConfig } from '../config/load.ts';
import { openAuth } from '../keystone.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { formatTable, print, printJson } from './print.ts';

export async function plan(
  node: string,
  { site, json }: { readonly site: string; readonly json?: true },
): Promise<ExitCode> {
  const config = loadConfig(site);
  // Relative paths in the settings of plugins start at the site, as in `serve`.
  process.chdir(config.siteDirectory);
  const { keystone } = await openAuth(config, silentLogger);
  const apiUrl = () => bootReportUrlOf(config.api, config.api.port, keystone);
  const conductor = await composeConductor(config, { log: silentLogger, apiUrl, dryRun: true });
  try {
    const result = await conductor.engine.plan(node);
    if (json) printJson(result);
    else print(formatPlan(result));
    return result.problems.length === 0 ? exitCodes.success : exitCodes.failure;
  } finally {
    await conductor.dispose();
    await keystone?.close();
  }
}

const undecided = 'undecided until the boot volume is attached';

function formatPlan(result: Plan): string {
  const { nodeUuid, problems, warnings, steps, storage, bootSource, firmware, artifacts } = result;
  const verdict = problems.length === 0 ? 'would begin' : 'would be refused';
  return [
    `Plan for node ${nodeUuid}: a deployment ${verdict}. Nothing was touched.`,
    ...section(
      'Problems',
      problems.map((text) => `- ${text}`),
    ),
    ...section(
      'Warnings',
      warnings.map((text) => `- ${text}`),
    ),
    ...section('Steps', numbered(steps.map(({ name, summary }) => [name, summary]))),
    ...section('Storage calls', numbered(storage.map(({ target, action }) => [action, target]))),
    ...section('Boot source', bootSource === null && problems.length > 0 ? [] : [bootSource ?? undecided]),
    ...section('Firmware', firmware === null ? [] : formatFirmware(firmware)),
    ...(artifacts === null ? [] : formatArtifacts(artifacts)),
  ].join('\n');
}

function formatFirmware({ bootMode, secureBoot }: FirmwareRequest): readonly string[] {
  return [
    ...(bootMode === null ? [] : [`boot mode ${bootMode}`]),
    ...(secureBoot === null ? [] : [`Secure Boot ${secureBoot ? 'on' : 'off'}`]),
  ];
}

function formatArtifacts(artifacts: BootArtifacts): readonly string[] {
  const { files, links, images = [], dhcp = [], bootDevice, httpBootUrl } = artifacts;
  return [
    ...section('Boot device', [bootDevice ?? 'left as it is']),
    ...section('HTTP boot', httpBootUrl ? [httpBootUrl] : []),
    ...section(
      'DHCP',
      dhcp.flatMap(({ macAddress, bootFiles }) => {
        return Object.entries(bootFiles).map(([client, file]) => `${macAddress} ${client}: ${file}`);
      }),
    ),
    ...section(
      'Images',
      images.map(({ root, path, image }) => `${root}:${path} <- ${formatImageReference(image)}`),
    ),
    ...section(
      'Links',
      links.map(({ root, path, target }) => `${root}:${path} -> ${target}`),
    ),
    ...files.flatMap(({ root, path, content }) =>
      section(`File ${root}:${path}`, String(content).trimEnd().split('\n')),
    ),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`.trimEnd())];
}

function numbered(rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  return formatTable(rows.map((row, index) => [`${index + 1}.`, ...row])).split('\n');
}
