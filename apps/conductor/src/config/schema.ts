import { interfaceKinds } from '@ironbark/core';
import { z } from 'zod';
import { auth } from './auth.ts';
import { httpUrl, path } from './fields.ts';

const port = z.int().min(0).max(65_535);
const seconds = (value: number) => z.number().positive().max(2_000_000).default(value);
const intervalSeconds = (value: number) => z.number().min(0).max(2_000_000).default(value);

const driverName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*(?:#\S+)?$/, 'is no name of a driver; write "name" or "name#package"');
const driverNames = (names: readonly string[], what: string) => {
  return z
    .array(driverName)
    .default([...names])
    .describe(`${what}, the preferred first.`);
};
const defaultName = (kind: string) => z.string().optional().describe(`${kind} interface.`);

const log = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('Least level of the lines that are written.'),
    pretty: z.boolean().default(false).describe('Lines for people instead of one JSON object each.'),
  })
  .prefault({})
  .describe('The log, on standard error.');

const database = z
  .strictObject({
    file: path.default('state/ironbark.sqlite').describe('SQLite database of this conductor.'),
    key_file: path
      .default('state/secret.key')
      .describe(
        'Key that secrets in the database are encrypted with; made at the first start. Back it up with the database.',
      ),
  })
  .prefault({})
  .transform((section) => ({ file: section.file, keyFile: section.key_file }))
  .describe('Where records are kept.');

const api = z
  .strictObject({
    listen: z.string().min(1).default('127.0.0.1').describe('Address that the API listens on; 0.0.0.0 or :: for all.'),
    port: port.default(6385).describe('TCP port of the API; 0 for any free one.'),
    public_url: httpUrl
      .optional()
      .describe(
        'URL under which clients reach the API; links in answers begin with it. Default: what the client has asked for.',
      ),
    boot_report_url: httpUrl
      .optional()
      .describe(
        'URL under which machines reach the API, to tell why they could not boot. Default: public_url, else the baremetal endpoint in the catalogue of Keystone where there is one, else the address that the API listens on.',
      ),
    auth,
  })
  .prefault({})
  .transform((section) => ({
    listen: section.listen,
    port: section.port,
    publicUrl: section.public_url ?? null,
    bootReportUrl: section.boot_report_url ?? section.public_url ?? null,
    auth: section.auth,
  }))
  .describe('The Bare Metal API.');

const enabled = z
  .strictObject({
    hardware: driverNames([], 'Hardware types'),
    power: driverNames([], 'Power interfaces'),
    management: driverNames([], 'Management interfaces'),
    boot: driverNames([], 'Boot interfaces'),
    storage: driverNames(['noop'], 'Storage interfaces'),
    deploy: driverNames(['volume', 'ramdisk'], 'Deploy interfaces'),
    vendor: driverNames(['no-vendor'], 'Vendor interfaces'),
    network: driverNames(['noop'], 'Network interfaces'),
  })
  .prefault({})
  .describe(
    'Drivers that this conductor loads. `ironbark plugins` lists what the installed plugins provide; "name#package" chooses ' +
      'between two that provide the same driver.',
  );

const defaults = z
  .strictObject({
    power: defaultName('Power'),
    management: defaultName('Management'),
    boot: defaultName('Boot'),
    storage: defaultName('Storage'),
    deploy: defaultName('Deploy'),
    vendor: defaultName('Vendor'),
    network: defaultName('Network'),
  })
  .prefault({})
  .describe(
    'Interfaces of nodes that name none, where their hardware type supports it. Otherwise the hardware type decides.',
  );

const conductor = z
  .strictObject({
    workers: z.int().min(1).max(10_000).default(100).describe('Operations that run at a time.'),
    lock_lease_seconds: seconds(60).describe(
      'After this time without a sign of life, another conductor may take a node over.',
    ),
    lock_wait_seconds: seconds(3).describe('How long a request waits for a node that is locked.'),
    power_timeout_seconds: seconds(60).describe('Bound for a power action.'),
    soft_power_timeout_seconds: seconds(600).describe('How long an operating system may take to shut down.'),
    step_timeout_seconds: seconds(1800).describe('Bound for one step of an operation.'),
    heartbeat_timeout_seconds: seconds(300).describe('Longest time between two heartbeats of an agent.'),
    sync_power_state_interval_seconds: intervalSeconds(60).describe(
      'Time from one look at the power states of all nodes to the next; 0 for none. The volumes of active machines follow what is seen.',
    ),
    sync_power_state_workers: z
      .int()
      .min(1)
      .max(1000)
      .default(8)
      .describe(
        'Power states that are read at a time, and as many again of machines that did not answer at the last look.',
      ),
    reconcile_interval_seconds: intervalSeconds(3600).describe(
      'Time from one comparison of the records with the storage services to the next; 0 for none. What disagrees is logged.',
    ),
    grace_seconds: seconds(30).describe(
      'How long running steps may take to end at shutdown. Operations go on at the next start.',
    ),
  })
  .prefault({})
  .transform((section) => ({
    workers: section.workers,
    lockLeaseMs: section.lock_lease_seconds * 1000,
    lockWaitMs: section.lock_wait_seconds * 1000,
    powerTimeoutMs: section.power_timeout_seconds * 1000,
    softPowerTimeoutMs: section.soft_power_timeout_seconds * 1000,
    stepTimeoutMs: section.step_timeout_seconds * 1000,
    heartbeatTimeoutSeconds: section.heartbeat_timeout_seconds,
    syncPowerStateIntervalMs: section.sync_power_state_interval_seconds * 1000,
    syncPowerStateWorkers: section.sync_power_state_workers,
    reconcileIntervalMs: section.reconcile_interval_seconds * 1000,
    graceMs: section.grace_seconds * 1000,
  }))
  .describe('Work on nodes.');

const notifications = z
  .strictObject({
    log: z.boolean().default(false).describe('Writes notifications to the log.'),
    level: z
      .enum(['info', 'warning', 'error'])
      .default('info')
      .describe('Least priority of the notifications that are written.'),
  })
  .prefault({})
  .describe('Versioned events such as baremetal.node.power_set.end. Plugins can send them elsewhere.');

/** The whole of `ironbark.yaml`. Keys are as in the file; the parsed value is in camel case, with times in milliseconds. */
export const configSchema = z
  .strictObject({
    hostname: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/, 'is no host name')
      .optional()
      .describe("Name of this conductor, unique among all. Default: the host's name."),
    conductor_group: z
      .string()
      .regex(/^[A-Za-z0-9._-]*$/, 'may hold letters, digits, dots, dashes and underscores')
      .default('')
      .describe('Group of conductors that this one belongs to, as the API shows it.'),
    state_directory: path.default('state').describe('Directory of the files of plugins and services.'),
    log,
    database,
    api,
    enabled,
    defaults,
    plugins: z
      .array(z.string().min(1))
      .optional()
      .describe('Packages or paths of plugins. Default: the dependencies in the package.json of the site.'),
    allow_api_mismatch: z
      .array(z.string())
      .default([])
      .describe('Plugins that are loaded although they are made for another version of the plugin API.'),
    settings: z
      .record(z.string(), z.unknown())
      .default({})
      .describe(
        'Settings of plugins, one section each; their READMEs list them. Machines need to know where they fetch boot files, for example: netboot: { listen: { host: 192.0.2.1, port: 8080 } }. A credential can be given as <key>_file: path.',
      ),
    conductor,
    notifications,
  })
  .superRefine((config, context) => {
    for (const kind of interfaceKinds) {
      const name = config.defaults[kind];
      const names = config.enabled[kind].map((text) => text.replace(/#.*/s, ''));
      if (name === undefined || names.includes(name)) continue;
      const message = `is ${JSON.stringify(name)}, which enabled.${kind} does not name (${names.join(', ') || 'it is empty'})`;
      context.addIssue({ code: 'custom', path: ['defaults', kind], message });
    }
  })
  .meta({ title: 'Ironbark site configuration' });

export type ParsedConfig = z.output<typeof configSchema>;

/** JSON schema (draft 2020-12) of the file, for editors. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
}
