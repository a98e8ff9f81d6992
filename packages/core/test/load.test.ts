import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { discoverPlugins, loadPlugins, silentLogger, type LoadOptions } from '../src/index.ts';
import { createSite, pluginPackage, register, type FixturePackage } from './fixture-site.ts';
import { recordedLog } from './recorded-log.ts';

/** Loads the plugins of a site that holds the given packages. Packages write to `trace` what they do. */
async function load(
  packages: Readonly<Record<string, FixturePackage>>,
  enabled: readonly string[],
  options: Partial<LoadOptions> & { readonly allowApiMismatch?: readonly string[] } = {},
) {
  const site = createSite({ packages });
  const candidates = discoverPlugins(site, {
    plugins: Object.keys(packages),
    allowApiMismatch: options.allowApiMismatch,
  });
  return loadPlugins(candidates, { log: silentLogger, stateDirectory: join(site, 'state'), ...options, enabled });
}

const trace: string[] = [];
Object.assign(globalThis, { ironbarkTrace: trace });
const note = (text: string) => `globalThis.ironbarkTrace.push(${JSON.stringify(text)});`;

function refusal(code: string, message: RegExp) {
  return expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;
}

describe('loading', () => {
  it('makes a registry of the enabled drivers in the order in which they are enabled', async () => {
    const { registry, packages } = await load(
      {
        '@acme/x': pluginPackage('@acme/x', ['boot:x', 'hardware:x']),
        '@acme/y': pluginPackage('@acme/y', ['boot:y']),
      },
      ['boot:y', 'boot:x', 'hardware:x'],
    );
    expect([[...registry.interfaces.boot.keys()], [...registry.hardwareTypes.keys()], packages]).toEqual([
      ['y', 'x'],
      ['x'],
      ['@acme/x', '@acme/y'],
    ]);
  });

  it('has a map for every kind, also for those with no enabled driver', async () => {
    const { registry } = await load({}, []);
    expect(Object.entries(registry.interfaces).map(([kind, map]) => [kind, map.size])).toEqual(
      ['power', 'management', 'boot', 'storage', 'deploy', 'vendor', 'network'].map((kind) => [kind, 0]),
    );
  });

  it('takes built-in drivers and defaults as they are', async () => {
    const noop = { validate: () => Promise.resolve() };
    const { registry } = await load({}, ['storage:noop'], {
      builtin: { 'storage:noop': noop },
      defaults: { storage: 'noop' },
    });
    expect([registry.interfaces.storage.get('noop'), registry.defaults]).toEqual([noop, { storage: 'noop' }]);
  });

  it('leaves a driver out that is registered but not enabled', async () => {
    const { registry } = await load({ '@acme/x': pluginPackage('@acme/x', ['boot:x', 'boot:y']) }, ['boot:x']);
    expect([...registry.interfaces.boot.keys()]).toEqual(['x']);
  });

  it('does not import a plugin of which no driver is enabled', async () => {
    const broken = { ...pluginPackage('@acme/y', ['boot:y']), files: { 'index.js': 'throw new Error("ran")' } };
    const { packages } = await load({ '@acme/x': pluginPackage('@acme/x', ['boot:x']), '@acme/y': broken }, ['boot:x']);
    expect(packages).toEqual(['@acme/x']);
  });

  it('imports of a plugin only the entries that provide an enabled driver', async () => {
    const plugin = pluginPackage('@acme/x', ['boot:x']);
    const manifest = { api: '1.0', drivers: { 'boot:x': './index.js', 'boot:y': './other.js' } };
    const { packages } = await load(
      {
        '@acme/x': {
          packageJson: { ...plugin.packageJson, ironbark: manifest },
          files: { ...plugin.files, 'other.js': 'throw new Error("ran")' },
        },
      },
      ['boot:x'],
    );
    expect(packages).toEqual(['@acme/x']);
  });

  it('does not mind a plugin without usable manifest that nobody needs', async () => {
    const bad = { packageJson: { name: '@acme/bad', ironbark: {} } };
    const { packages } = await load({ '@acme/bad': bad, '@acme/x': pluginPackage('@acme/x', ['boot:x']) }, ['boot:x']);
    expect(packages).toEqual(['@acme/x']);
  });

  it('loads a plugin from its sources while core itself runs from sources', async () => {
    const built = pluginPackage('@acme/x', ['boot:x'], 'throw new Error("built");');
    const source = pluginPackage('@acme/x', ['boot:x']).files?.['index.js'] ?? '';
    const exports = { '.': { '@ironbark/source': './src/index.js', default: './index.js' } };
    const { packages } = await load(
      {
        '@acme/x': {
          packageJson: { ...built.packageJson, exports },
          files: { ...built.files, 'src/index.js': source },
        },
      },
      ['boot:x'],
    );
    expect(packages).toEqual(['@acme/x']);
  });
});

describe('a start is stopped by an enabled driver', () => {
  it('that no plugin provides', async () => {
    await expect(load({}, ['boot:x'])).rejects.toThrow(refusal('DRIVER_NOT_FOUND', /boot:x/));
  });

  it('that two plugins provide', async () => {
    const packages = {
      '@acme/x': pluginPackage('@acme/x', ['boot:x']),
      '@acme/y': pluginPackage('@acme/y', ['boot:x']),
    };
    await expect(load(packages, ['boot:x'])).rejects.toThrow(
      refusal('PLUGIN_DRIVER_CONFLICT', /@acme\/x and by @acme\/y/),
    );
  });

  it('whose plugin is made for another API, without importing it', async () => {
    trace.length = 0;
    const plugin = pluginPackage('@acme/x', ['boot:x'], '', { api: '2.0' });
    const files = { 'index.js': note('imported') };
    await expect(load({ '@acme/x': { ...plugin, files } }, ['boot:x'])).rejects.toThrow(
      refusal('PLUGIN_API_MISMATCH', /@acme\/x 1\.2\.3/),
    );
    expect(trace).toEqual([]);
  });

  it.each([
    [
      'cannot be imported',
      'throw new Error("no such library")',
      /index\.js of plugin @acme\/x cannot be imported: no such library/,
    ],
    ['exports nothing', '', /exports no plugin by default/],
    ['exports no plugin', 'export default { setup() {} }', /exports no plugin by default/],
    ['exports a plugin under a name only', 'export const plugin = {}', /exports no plugin by default/],
    [
      'exports a plugin without setup',
      'export default { [Symbol.for("ironbark.plugin")]: "1.0" }',
      /exports no plugin by default/,
    ],
  ])('whose plugin %s', async (_problem, source, message) => {
    const plugin = { ...pluginPackage('@acme/x', ['boot:x']), files: { 'index.js': source } };
    await expect(load({ '@acme/x': plugin }, ['boot:x'])).rejects.toThrow(refusal('PLUGIN_LOAD_FAILED', message));
  });

  it('whose plugin runs with another major version of core than its manifest says', async () => {
    const plugin = pluginPackage('@acme/x', ['boot:x'], undefined, { stamp: '2.0' });
    await expect(load({ '@acme/x': plugin }, ['boot:x'])).rejects.toThrow(
      refusal('PLUGIN_API_MISMATCH', /claims plugin API 1\.0, but runs with .* API 2\.0/),
    );
  });

  it.each([
    ['does not register it', '', /claims boot:x in its manifest, but did not register it/],
    ['registers it twice', register('boot:x') + register('boot:x'), /registered boot:x twice/],
    [
      'registers what it does not claim',
      register('boot:x') + register('boot:y'),
      /registered boot:y, which its manifest does not claim/,
    ],
    [
      'registers it under another kind',
      register('storage:x'),
      /registered storage:x, which its manifest does not claim/,
    ],
    [
      'registers a value that is no driver',
      "host.boot.register('x', {});",
      /registered a value without validate, render, apply, cleanUp as boot:x/,
    ],
    [
      'registers nothing at all',
      "host.boot.register('x', undefined);",
      /registered a value without validate, render, apply, cleanUp as boot:x/,
    ],
    ['throws in its setup', "throw new Error('no disk');", /Plugin @acme\/x failed in its setup: no disk/],
    [
      'rejects in its setup',
      "await Promise.reject(new Error('no disk'));",
      /Plugin @acme\/x failed in its setup: no disk/,
    ],
  ])('whose plugin %s', async (_problem, setup, message) => {
    await expect(load({ '@acme/x': pluginPackage('@acme/x', ['boot:x'], setup) }, ['boot:x'])).rejects.toThrow(
      refusal('PLUGIN_LOAD_FAILED', message),
    );
  });

  it('whose plugin fails with an error of its own, keeping code and hint', async () => {
    const setup = `throw Object.assign(new Error('No tftp root.'), { [Symbol.for('ironbark.error')]: true, code: 'ACME_ROOT', status: 500, hint: 'Make it.' });`;
    await expect(load({ '@acme/x': pluginPackage('@acme/x', ['boot:x'], setup) }, ['boot:x'])).rejects.toThrow(
      expect.objectContaining({
        code: 'ACME_ROOT',
        hint: 'Make it.',
        message: 'Plugin @acme/x failed in its setup: No tftp root.',
      }),
    );
  });

  it('and what was set up before it is disposed', async () => {
    trace.length = 0;
    const first = pluginPackage(
      '@acme/x',
      ['boot:x'],
      `host.onShutdown(() => { ${note('disposed')} }); ${register('boot:x')}`,
    );
    const second = pluginPackage('@acme/y', ['boot:y'], 'throw new Error("no");');
    await expect(load({ '@acme/x': first, '@acme/y': second }, ['boot:x', 'boot:y'])).rejects.toThrow('no');
    expect(trace).toEqual(['disposed']);
  });
});

it('refuses drivers that the manifest claims for another entry of the package', async () => {
  const plugin = pluginPackage('@acme/x', ['boot:x'], register('boot:x') + register('boot:y'));
  const manifest = { api: '1.0', drivers: { 'boot:x': './index.js', 'boot:y': './other.js' } };
  const packageJson = { ...plugin.packageJson, ironbark: manifest };
  await expect(load({ '@acme/x': { ...plugin, packageJson } }, ['boot:x'])).rejects.toThrow(
    refusal('PLUGIN_LOAD_FAILED', /registered boot:y, which its manifest does not claim for this entry/),
  );
});

it('refuses drivers that are registered after the setup', async () => {
  const setup = `${register('boot:x')} globalThis.ironbarkLate = () => { ${register('boot:y')} };`;
  await load({ '@acme/x': pluginPackage('@acme/x', ['boot:x', 'boot:y'], setup) }, ['boot:x']);
  const { ironbarkLate } = globalThis as unknown as { readonly ironbarkLate: () => void };
  expect(ironbarkLate).toThrow(refusal('PLUGIN_LOAD_FAILED', /registered boot:y after its setup had ended/));
});

describe('the override of the API version', () => {
  it.each([
    ['of a manifest', { api: '2.0' }],
    ['of a stamp', { stamp: '2.0' }],
  ])('%s loads the plugin and says so in the log', async (_what, versions) => {
    const { log, lines } = recordedLog();
    const plugin = pluginPackage('@acme/x', ['boot:x'], undefined, versions);
    const { packages } = await load({ '@acme/x': plugin }, ['boot:x'], { log, allowApiMismatch: ['@acme/x'] });
    expect([packages, lines]).toEqual([
      ['@acme/x'],
      expect.arrayContaining([expect.stringMatching(/^warn .*@acme\/x/)]),
    ]);
  });
});

describe('settings', () => {
  // The copy of zod that this package tests with, as a plugin would import its own.
  const zod = pathToFileURL(join(import.meta.dirname, '../node_modules/zod/index.js')).href;
  const setup = `${register('boot:x')} globalThis.ironbarkTrace.push(JSON.stringify(host.config));`;
  const plugin = pluginPackage('@acme/x', ['boot:x'], setup, {
    members: "section: 'x', config: z.strictObject({ url: z.url(), retries: z.int().default(3) }),",
  });
  const files = { 'index.js': `import { z } from '${zod}';\n${plugin.files?.['index.js']}` };
  const packages = { '@acme/x': { ...plugin, files } };

  it('are validated, completed with defaults and handed to the plugin', async () => {
    trace.length = 0;
    await load(packages, ['boot:x'], { settings: { x: { url: 'http://a/' } } });
    expect(trace).toEqual(['{"url":"http://a/","retries":3}']);
  });

  it.each([
    ['a missing key', {}, /settings\.x\.url: /],
    ['a wrong value', { url: 'http://a/', retries: 'many' }, /settings\.x\.retries: /],
    ['an unknown key', { url: 'http://a/', retires: 1 }, /settings\.x\.retires is not known/],
    ['several mistakes', { retries: 'many' }, /settings\.x\.url: .*; settings\.x\.retries: /],
    ['a section that is no object', 'http://a/', /settings\.x: /],
  ])('are refused with %s before the setup runs', async (_problem, section, message) => {
    trace.length = 0;
    await expect(load(packages, ['boot:x'], { settings: { x: section } })).rejects.toThrow(
      refusal('CONFIG_INVALID', message),
    );
    expect(trace).toEqual([]);
  });

  it('count as empty when the section is missing', async () => {
    await expect(load(packages, ['boot:x'])).rejects.toThrow(refusal('CONFIG_INVALID', /settings\.x\.url: /));
  });

  it('that nobody reads are named in the log', async () => {
    const { log, lines } = recordedLog();
    await load(packages, ['boot:x'], { log, settings: { x: { url: 'http://a/' }, ipxe: {} } });
    expect(lines).toEqual(['warn settings.ipxe is read by no plugin that is loaded.']);
  });
});

describe('hooks', () => {
  const tapping = (name: string, tap: string) => pluginPackage(name, ['boot:x'], `${register('boot:x')} ${tap}`);
  const event = { operationUuid: 'o', nodeUuid: 'n', verb: 'deploy', error: null, durationMs: null };

  it.each([
    ['tap', "host.hooks.operationStarted.tap('audit', (event) => { globalThis.ironbarkTrace.push(event.verb); });"],
    [
      'tapPromise',
      "host.hooks.operationStarted.tapPromise({ name: 'audit' }, async (event) => { globalThis.ironbarkTrace.push(event.verb); });",
    ],
    [
      'tapAsync',
      "host.hooks.operationStarted.tapAsync('audit', (event, done) => { globalThis.ironbarkTrace.push(event.verb); done(); });",
    ],
  ])('tapped with %s are called, under the name of the plugin', async (_form, tap) => {
    trace.length = 0;
    const { hooks } = await load({ '@acme/x': tapping('@acme/x', tap) }, ['boot:x']);
    await hooks.operationStarted.promise(event);
    expect([trace, hooks.operationStarted.taps.map(({ name }) => name)]).toEqual([['deploy'], ['@acme/x:audit']]);
  });

  it('run in the order of their stage', async () => {
    trace.length = 0;
    const tap = `
      host.hooks.operationStarted.tap({ name: 'b', stage: 2 }, () => { ${note('second')} });
      host.hooks.operationStarted.tap({ name: 'a', stage: 1 }, () => { ${note('first')} });`;
    const { hooks } = await load({ '@acme/x': tapping('@acme/x', tap) }, ['boot:x']);
    await hooks.operationStarted.promise(event);
    expect(trace).toEqual(['first', 'second']);
  });

  it.each([
    ['tap', "host.hooks.beforeAttach.tap('audit', () => { throw new Error('quota'); });"],
    ['tapPromise', "host.hooks.beforeAttach.tapPromise('audit', () => Promise.reject(new Error('quota')));"],
    ['tapAsync', "host.hooks.beforeAttach.tapAsync('audit', (task, done) => done(new Error('quota')));"],
    ['tapAsync that throws', "host.hooks.beforeAttach.tapAsync('audit', () => { throw new Error('quota'); });"],
  ])('before an action stop it and name the plugin: %s', async (_form, tap) => {
    const { hooks } = await load({ '@acme/x': tapping('@acme/x', tap) }, ['boot:x']);
    await expect(hooks.beforeAttach.promise({} as never)).rejects.toThrow(
      expect.objectContaining({
        code: 'PLUGIN_HOOK_FAILED',
        message: 'Plugin @acme/x stopped the action in beforeAttach: quota',
      }),
    );
  });

  it.each([
    ['tap', "host.hooks.operationStarted.tap('audit', () => { throw new Error('quota'); });"],
    ['tapPromise', "host.hooks.operationStarted.tapPromise('audit', () => Promise.reject(new Error('quota')));"],
    ['tapAsync', "host.hooks.operationStarted.tapAsync('audit', (event, done) => done(new Error('quota')));"],
  ])('after the fact are logged with the plugin, and the next tap runs: %s', async (_form, tap) => {
    trace.length = 0;
    const { log, lines } = recordedLog();
    const next = `host.hooks.operationStarted.tap('next', () => { ${note('next')} });`;
    const { hooks } = await load({ '@acme/x': tapping('@acme/x', `${tap} ${next}`) }, ['boot:x'], { log });
    await hooks.operationStarted.promise(event);
    expect([trace, lines]).toEqual([['next'], ['error Plugin @acme/x failed in operationStarted.']]);
  });

  it('cannot be called by a plugin', async () => {
    trace.length = 0;
    const tap = 'globalThis.ironbarkTrace.push(...Object.keys(host.hooks.beforeAttach));';
    await load({ '@acme/x': tapping('@acme/x', tap) }, ['boot:x']);
    expect(trace).toEqual(['tap', 'tapPromise', 'tapAsync']);
  });
});

describe('shutdown', () => {
  it('runs the functions of the plugins in reverse order, then disposes services, in spite of failures', async () => {
    trace.length = 0;
    const { log, lines } = recordedLog();
    const service = (name: string, dispose: string) =>
      `await host.use({ name: '${name}', create: () => ({}), dispose() { ${dispose} } });`;
    const plugin = (name: string, id: string, serviceName: string) =>
      pluginPackage(
        name,
        [id],
        `host.onShutdown(() => { ${note(`${name} down`)} });
         ${service(serviceName, note(`${serviceName} disposed`) + (serviceName === 'b' ? 'throw new Error("stuck");' : ''))}
         host.onShutdown(() => { throw new Error('stuck'); });
         ${register(id)}`,
      );
    const loaded = await load(
      { '@acme/x': plugin('@acme/x', 'boot:x', 'a'), '@acme/y': plugin('@acme/y', 'boot:y', 'b') },
      ['boot:x', 'boot:y'],
      { log },
    );
    await loaded.dispose();
    expect(trace).toEqual(['@acme/y down', '@acme/x down', 'b disposed', 'a disposed']);
    expect(lines).toEqual([
      'error Plugin @acme/y failed in its shutdown.',
      'error Plugin @acme/x failed in its shutdown.',
      'error Service b was not disposed.',
    ]);
  });

  it('happens once', async () => {
    trace.length = 0;
    const setup = `host.onShutdown(() => { ${note('down')} }); ${register('boot:x')}`;
    const loaded = await load({ '@acme/x': pluginPackage('@acme/x', ['boot:x'], setup) }, ['boot:x']);
    await loaded.dispose();
    await loaded.dispose();
    expect(trace).toEqual(['down']);
  });
});
