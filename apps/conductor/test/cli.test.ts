import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ironbark } from './ironbark.ts';
import { createSite } from './site.ts';

// Processes are started; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

describe('ironbark', () => {
  it.each([
    ['version', /^ironbark \d+\.\d+\.\d+ \(plugin API 1\.0, Node 24\.\d+\.\d+\)$/],
    ['--version', /^ironbark \d+\.\d+\.\d+$/],
  ])('%s prints what runs', async (word, line) => {
    expect(await ironbark([word])).toEqual({ exitCode: 0, stdout: expect.stringMatching(line) as string, stderr: '' });
  });

  it('version --json prints an object', async () => {
    const { stdout } = await ironbark(['version', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      ironbark: expect.any(String) as string,
      pluginApi: '1.0',
      node: process.versions.node,
    });
  });

  it('--help lists the commands and the exit status', async () => {
    const { exitCode, stdout } = await ironbark(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)[ [<]/gm)].map(([, name]) => name);
    expect([exitCode, commands]).toEqual([
      0,
      ['init', 'serve', 'plan', 'reconcile', 'plugins', 'db', 'config', 'version', 'help'],
    ]);
    expect(stdout).toMatch(/Exit status:\n {2}0 {2}success\n {2}1 {2}failure\n {2}2 /);
  });

  it.each([
    ['init'],
    ['serve'],
    ['plan'],
    ['reconcile'],
    ['plugins'],
    ['db', 'migrate'],
    ['db', 'status'],
    ['config', 'schema'],
    ['version'],
  ])('%s %s has a help page with an example', async (...words) => {
    const { exitCode, stdout } = await ironbark([...words, '--help']);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`Examples:\\n {2}\\$ ironbark ${words.join(' ')}`)),
    ]);
  });

  it.each([
    ['an unknown command', ['plugni'], "Error: Unknown command 'plugni'. [INVALID_PARAMETER]\nDid you mean plugins?"],
    [
      'an unknown option',
      ['plan', 'n-1', '--jsno'],
      "Error: Unknown option '--jsno'. [INVALID_PARAMETER]\nDid you mean --json?",
    ],
    ['a missing argument', ['plan'], "Error: Missing required argument 'node'. [INVALID_PARAMETER]"],
    [
      'an argument too many',
      ['version', 'x'],
      "Error: Too many arguments for 'version'. Expected 0 arguments but got 1: x. [INVALID_PARAMETER]",
    ],
  ])('refuses %s with 2', async (_mistake, words, message) => {
    const { exitCode, stdout, stderr } = await ironbark(words);
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
  });

  it('prints an error as sentence, code and hint, without a stack', async () => {
    const { exitCode, stdout, stderr } = await ironbark(['db', 'status', '--site', '/nowhere']);
    expect([exitCode, stdout, stderr]).toEqual([
      2,
      '',
      'Error: There is no /nowhere/ironbark.yaml. [CONFIG_INVALID]\n' +
        'Make a site with `ironbark init DIR`, or name another one with --site.',
    ]);
  });

  it.each([[['--debug', 'db', 'status', '--site', '/nowhere']], [['db', 'status', '--site', '/nowhere', '--debug']]])(
    'prints where an error came from with %j',
    async (words) => {
      expect((await ironbark(words)).stderr).toMatch(/^ +at .*load\.ts/m);
    },
  );

  it('takes the site from IRONBARK_SITE', async () => {
    const site = createSite({ 'ironbark.yaml': '' });
    const { stdout } = await ironbark(['db', 'status'], { IRONBARK_SITE: site });
    expect(stdout).toContain(join(site, 'state/ironbark.sqlite'));
  });
});

describe('init', () => {
  it('makes a site that the other commands accept', async () => {
    const site = join(createSite(), 'new');
    const { exitCode, stdout } = await ironbark(['init', site]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`Made a site in ${site}.`)]);
    expect(readdirSync(site).sort()).toEqual(['.gitignore', 'ironbark.schema.json', 'ironbark.yaml', 'package.json']);
    expect((await ironbark(['db', 'status', '--site', site])).exitCode).toBe(1);
  });

  it('keeps the configuration from other users, because it may come to hold credentials', async () => {
    const site = createSite();
    await ironbark(['init', site]);
    expect(statSync(join(site, 'ironbark.yaml')).mode & 0o777).toBe(0o640);
  });

  it.each(['ironbark.yaml', 'package.json', '.gitignore'])('writes nothing when there is a %s', async (name) => {
    const site = createSite({ [name]: 'mine\n' });
    const { exitCode, stderr } = await ironbark(['init', site]);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining(`${site} already holds ${name}; nothing was written.`),
    ]);
    expect([readdirSync(site), readFileSync(join(site, name), 'utf8')]).toEqual([[name], 'mine\n']);
  });

  it('writes the schema that `config schema` prints', async () => {
    const site = createSite();
    await ironbark(['init', site]);
    const { stdout } = await ironbark(['config', 'schema']);
    expect(`${stdout}\n`).toBe(readFileSync(join(site, 'ironbark.schema.json'), 'utf8'));
  });
});

describe('db', () => {
  it('status shows what is to be done, migrate does it', async () => {
    const site = createSite({ 'ironbark.yaml': 'database: { file: db.sqlite }' });
    const before = await ironbark(['db', 'status', '--json', '--site', site]);
    expect([before.exitCode, JSON.parse(before.stdout)]).toMatchObject([1, { exists: false, version: 0 }]);
    expect(existsSync(join(site, 'db.sqlite'))).toBe(false);
    const { pending, latest } = JSON.parse(before.stdout) as {
      readonly pending: readonly string[];
      readonly latest: number;
    };
    const migrated = await ironbark(['db', 'migrate', '--site', site]);
    expect([migrated.exitCode, migrated.stdout]).toEqual([0, `${site}/db.sqlite: applied ${pending.join(', ')}.`]);
    const after = await ironbark(['db', 'status', '--site', site]);
    expect([after.exitCode, after.stdout]).toEqual([0, `${site}/db.sqlite: schema ${latest} of ${latest}`]);
  });

  it('migrate says when there is nothing to do', async () => {
    const site = createSite({ 'ironbark.yaml': '' });
    await ironbark(['db', 'migrate', '--site', site]);
    const { exitCode, stdout } = await ironbark(['db', 'migrate', '--site', site]);
    expect([exitCode, stdout]).toEqual([0, `${site}/state/ironbark.sqlite is up to date.`]);
  });
});

describe('plugins', () => {
  const plugin = (name: string, drivers: readonly string[], source = '') => {
    const manifest = { api: '1.0', drivers: Object.fromEntries(drivers.map((id) => [id, './index.js'])) };
    return {
      [`node_modules/${name}/package.json`]: JSON.stringify({
        name,
        version: '1.2.3',
        type: 'module',
        ironbark: manifest,
      }),
      [`node_modules/${name}/index.js`]: source,
    };
  };
  const dependencies = (...names: readonly string[]) => {
    return { 'package.json': JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, '1'])) }) };
  };

  it('lists package, version, API, state and drivers', async () => {
    const site = createSite({
      'ironbark.yaml': 'enabled: { boot: [x] }',
      ...dependencies('@acme/x', 'acme-y'),
      ...plugin('@acme/x', ['boot:x', 'boot:z']),
      ...plugin('acme-y', ['boot:y']),
    });
    const { exitCode, stdout } = await ironbark(['plugins', '--site', site]);
    expect([exitCode, stdout]).toEqual([
      0,
      [
        'PACKAGE  VERSION  API  STATE        DRIVERS (* = enabled)',
        '@acme/x  1.2.3    1.0  enabled      boot:x* boot:z',
        'acme-y   1.2.3    1.0  not enabled  boot:y',
      ].join('\n'),
    ]);
  });

  it('tells why a plugin cannot be used, and what lacks because of it', async () => {
    const site = createSite({ 'ironbark.yaml': 'enabled: { boot: [x] }', ...dependencies('@acme/x') });
    const { exitCode, stdout } = await ironbark(['plugins', '--site', site]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('@acme/x  -        -    missing  -');
    expect(stdout).toContain(`@acme/x: Package @acme/x is not installed in ${site}.`);
    expect(stdout).toContain('Enabled, but not available: boot:x');
  });

  it('prints JSON with states and problems', async () => {
    const site = createSite({
      'ironbark.yaml': 'enabled: { boot: [x] }',
      ...dependencies('@acme/x', '@acme/y'),
      ...plugin('@acme/x', ['boot:x']),
      ...plugin('@acme/y', ['boot:x']),
    });
    const { exitCode, stdout } = await ironbark(['plugins', '--json', '--site', site]);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      1,
      {
        plugins: [
          {
            package: '@acme/x',
            version: '1.2.3',
            api: '1.0',
            state: 'not enabled',
            drivers: ['boot:x'],
            enabled: [],
            reason: null,
          },
          { package: '@acme/y', directory: join(site, 'node_modules/@acme/y') },
        ],
        builtin: ['storage:noop', 'network:noop', 'vendor:no-vendor', 'deploy:volume', 'deploy:ramdisk'],
        problems: [{ driver: 'boot:x', code: 'PLUGIN_DRIVER_CONFLICT' }],
      },
    ]);
  });

  it('finds a plugin that cannot be imported only when it is told to check', async () => {
    const site = createSite({
      'ironbark.yaml': '',
      ...dependencies('@acme/x'),
      ...plugin('@acme/x', ['boot:x'], 'import "no-such-library";'),
    });
    const [listed, checked] = await Promise.all([
      ironbark(['plugins', '--site', site]),
      ironbark(['plugins', '--check', '--site', site]),
    ]);
    expect([listed.exitCode, listed.stdout]).toEqual([0, expect.stringContaining('not enabled')]);
    expect([checked.exitCode, checked.stdout]).toEqual([
      1,
      expect.stringMatching(/@acme\/x .* broken .*[^]*no-such-library/),
    ]);
  });

  it('sets nothing up when it checks', async () => {
    const source = `import { writeFileSync } from 'node:fs';
      export default { [Symbol.for('ironbark.plugin')]: '1.0', setup() { writeFileSync('trace', ''); } };`;
    const site = createSite({
      'ironbark.yaml': 'enabled: { boot: [x] }',
      ...dependencies('@acme/x'),
      ...plugin('@acme/x', ['boot:x'], source),
    });
    const { exitCode } = await ironbark(['plugins', '--check', '--site', site]);
    expect([exitCode, readdirSync(site).includes('trace'), existsSync('trace')]).toEqual([0, false, false]);
  });

  it('tells how to begin when there are none', async () => {
    const site = createSite({ 'ironbark.yaml': '' });
    const { exitCode, stdout } = await ironbark(['plugins', '--site', site]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`No plugins in ${site}.`)]);
  });
});
