import { commentedConfig } from './config/commented-config.ts';
import { configFileName } from './config/load.ts';
import { configJsonSchema } from './config/schema.ts';
import { conductorVersion } from './version.ts';

const schemaFileName = 'ironbark.schema.json';

const head = `# yaml-language-server: $schema=./${schemaFileName}
#
# Configuration of an Ironbark conductor. Keys behind a # show their default; remove the # of the key and of its section to
# change one. Every key can be overridden by an environment variable IRONBARK_<SECTION>__<KEY>, for example
# IRONBARK_API__PORT=6386. Relative paths start at this directory.
`;

/** What a new site enables: machines with a Redfish BMC that boot from iSCSI volumes through iPXE. */
const chosen = {
  enabled: {
    hardware: ['redfish'],
    power: ['redfish'],
    management: ['redfish'],
    boot: ['ipxe'],
    storage: ['external', 'noop'],
  },
  defaults: { storage: 'external' },
};

const plugins = ['@ironbark/boot-ipxe', '@ironbark/hardware-redfish', '@ironbark/storage-external'];

/** Files of a new site, by name. */
export function siteFiles(): Readonly<Record<string, string>> {
  const schema = configJsonSchema();
  const range = `^${conductorVersion()}`;
  const packageJson = {
    name: 'ironbark-site',
    private: true,
    scripts: { start: 'ironbark serve' },
    dependencies: Object.fromEntries(
      ['@ironbark/conductor', ...plugins, '@ironbark/core'].sort().map((name) => [name, range]),
    ),
  };
  return {
    [configFileName]: `${head}${commentedConfig(schema, chosen)}\n`,
    [schemaFileName]: json(schema),
    'package.json': json(packageJson),
    '.gitignore': 'node_modules\nstate\n',
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
