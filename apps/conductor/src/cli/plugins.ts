import {
  chooseProviders,
  checkEntries,
  discoverPlugins,
  type DriverChoice,
  type IronbarkError,
  type PluginCandidate,
} from '@ironbark/core';
import { loadConfig } from '../config/load.ts';
import { createLog } from '../log.ts';
import { enabledDrivers } from '../drivers.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { formatTable, print, printJson } from './print.ts';

interface Options {
  readonly site: string;
  readonly json?: true;
  readonly check?: true;
}

interface Row {
  readonly package: string;
  readonly version: string | null;
  readonly api: string | null;
  readonly directory: string | null;
  readonly drivers: readonly string[];
  /** Those of the drivers that the configuration takes from this package. */
  readonly enabled: readonly string[];
  readonly state: string;
  readonly reason: string | null;
  readonly hint: string | null;
  readonly warnings: readonly string[];
}

export async function plugins({ site, json, check }: Options): Promise<ExitCode> {
  const config = loadConfig(site);
  const { siteDirectory, allowApiMismatch } = config;
  const candidates = discoverPlugins(siteDirectory, { plugins: config.plugins, allowApiMismatch });
  const { builtinDrivers } = await import('@ironbark/engine');
  const choices = chooseProviders(candidates, enabledDrivers(config), Object.keys(builtinDrivers));
  const log = createLog({ ...config.log, level: 'silent' });
  const rows = await Promise.all(
    candidates.map(async (candidate) => toRow(candidate, choices, check ? await checkEntries(candidate, log) : null)),
  );
  const problems = choices.flatMap(({ id, error }) => (error === null ? [] : [{ driver: id, error }]));
  if (json) {
    const errors = problems.map(({ driver, error: { code, message, hint } }) => ({ driver, code, message, hint }));
    printJson({ plugins: rows, builtin: Object.keys(builtinDrivers), problems: errors });
  } else printRows(rows, siteDirectory, problems);
  const isSound = problems.length === 0 && rows.every(({ state }) => state !== 'broken');
  return isSound ? exitCodes.success : exitCodes.failure;
}

function toRow(candidate: PluginCandidate, choices: readonly DriverChoice[], failure: IronbarkError | null): Row {
  const { packageName, version, api, directory, drivers, state, warnings } = candidate;
  const enabled = choices.flatMap(({ id, provider }) => (provider === candidate ? [id] : []));
  const reason = failure ?? candidate.reason;
  const usable = enabled.length > 0 ? 'enabled' : 'not enabled';
  return {
    package: packageName,
    version,
    api,
    directory,
    drivers: [...drivers.keys()],
    enabled,
    state: failure === null ? (state === 'usable' ? usable : state) : 'broken',
    reason: reason?.message ?? null,
    hint: reason?.hint ?? null,
    warnings,
  };
}

function printRows(
  rows: readonly Row[],
  siteDirectory: string,
  problems: readonly { readonly driver: string; readonly error: IronbarkError }[],
): void {
  if (rows.length === 0)
    print(`No plugins in ${siteDirectory}. Install one there, for example: npm install @ironbark/boot-ipxe`);
  else {
    const header = ['PACKAGE', 'VERSION', 'API', 'STATE', 'DRIVERS (* = enabled)'];
    const cells = rows.map((row) => {
      const drivers = row.drivers.map((id) => (row.enabled.includes(id) ? `${id}*` : id));
      return [row.package, row.version ?? '-', row.api ?? '-', row.state, drivers.join(' ') || '-'];
    });
    print(formatTable([header, ...cells]));
  }
  for (const { package: name, reason, hint, warnings } of rows) {
    for (const warning of warnings) print(`\nWarning: ${warning}`);
    if (reason !== null) print(`\n${name}: ${reason}\n  ${hint ?? ''}`);
  }
  for (const { driver, error } of problems)
    print(`\nEnabled, but not available: ${driver}\n  ${error.message} ${error.hint ?? ''}`);
}
