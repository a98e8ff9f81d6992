import { describe, expect, it } from 'vitest';
import { chooseProviders, IronbarkError, type PluginCandidate } from '../src/index.ts';

function candidate(
  packageName: string,
  drivers: readonly string[],
  reason: IronbarkError | null = null,
): PluginCandidate {
  return {
    packageName,
    version: '1.0.0',
    directory: `/site/node_modules/${packageName}`,
    api: '1.0',
    drivers: new Map(drivers.map((id) => [id, './index.js'])),
    state: reason === null ? 'usable' : 'incompatible',
    reason,
    warnings: [],
    allowApiMismatch: false,
  };
}

const one = candidate('@acme/one', ['boot:ipxe', 'boot:one']);
const two = candidate('@acme/two', ['boot:ipxe']);

function outcome(enabled: readonly string[], candidates = [one, two], builtin: readonly string[] = []) {
  return chooseProviders(candidates, enabled, builtin).map(({ id, provider, error }) => {
    return [id, typeof provider === 'string' ? provider : (provider?.packageName ?? null), error?.code ?? null];
  });
}

describe('an enabled driver', () => {
  it('comes from the package that claims it', () => {
    expect(outcome(['boot:one'])).toEqual([['boot:one', '@acme/one', null]]);
  });

  it('comes from the conductor when it is built in', () => {
    expect(outcome(['storage:noop'], [one], ['storage:noop'])).toEqual([['storage:noop', 'builtin', null]]);
  });

  it('that two packages claim is a conflict that names both and the choice', () => {
    const [choice] = chooseProviders([one, two], ['boot:ipxe']);
    expect([choice?.provider, choice?.error?.code, choice?.error?.message, choice?.error?.hint]).toEqual([
      null,
      'PLUGIN_DRIVER_CONFLICT',
      'The driver boot:ipxe is provided by @acme/one and by @acme/two.',
      'Choose one in enabled.boot: "ipxe#@acme/one" or "ipxe#@acme/two".',
    ]);
  });

  it('comes from the package that the configuration chooses', () => {
    expect(outcome(['boot:ipxe#@acme/two'])).toEqual([['boot:ipxe', '@acme/two', null]]);
  });

  it('conflicts with a built-in driver unless one is chosen', () => {
    expect([
      outcome(['boot:one'], [one], ['boot:one']),
      outcome(['boot:one#builtin'], [one], ['boot:one']),
      outcome(['boot:one#@acme/one'], [one], ['boot:one']),
    ]).toEqual([
      [['boot:one', null, 'PLUGIN_DRIVER_CONFLICT']],
      [['boot:one', 'builtin', null]],
      [['boot:one', '@acme/one', null]],
    ]);
  });

  it('conflicts with itself when two packages are chosen for it', () => {
    expect(outcome(['boot:ipxe#@acme/one', 'boot:ipxe#@acme/two'])).toEqual([
      ['boot:ipxe', null, 'PLUGIN_DRIVER_CONFLICT'],
    ]);
  });

  it('is one driver although it is named twice', () => {
    expect(outcome(['boot:ipxe', 'boot:ipxe#@acme/one'])).toEqual([['boot:ipxe', '@acme/one', null]]);
  });

  it('has the error of its only provider when that cannot be used', () => {
    const old = candidate('@acme/old', ['boot:old'], new IronbarkError('PLUGIN_API_MISMATCH', 'Too old.'));
    expect(outcome(['boot:old'], [old])).toEqual([['boot:old', null, 'PLUGIN_API_MISMATCH']]);
  });

  it('that nobody provides is not found; the hint names what there is and what is broken', () => {
    const broken = {
      ...candidate('@acme/bad', [], new IronbarkError('PLUGIN_MANIFEST_INVALID', 'Bad field.')),
      state: 'invalid' as const,
    };
    const [choice] = chooseProviders([one, broken], ['boot:grub'], ['boot:local']);
    expect([choice?.error?.code, choice?.error?.message, choice?.error?.hint]).toEqual([
      'DRIVER_NOT_FOUND',
      'The driver boot:grub is enabled, but provided by no installed plugin.',
      'Install the plugin that provides it in the site directory, or take it out of enabled.boot. ' +
        'Installed: boot:ipxe, boot:local, boot:one. Cannot be used, see `ironbark plugins`: @acme/bad (invalid).',
    ]);
  });

  it('is not found in a chosen package that does not claim it', () => {
    const [choice] = chooseProviders([one, two], ['boot:one#@acme/two']);
    expect([choice?.error?.code, choice?.error?.hint]).toEqual([
      'DRIVER_NOT_FOUND',
      expect.stringContaining('It is provided by @acme/one.'),
    ]);
  });
});

it('keeps the order in which drivers are enabled', () => {
  expect(
    outcome(['boot:one', 'storage:noop', 'boot:ipxe#@acme/two'], [one, two], ['storage:noop']).map(([id]) => id),
  ).toEqual(['boot:one', 'storage:noop', 'boot:ipxe']);
});

it('leaves drivers alone that nobody enabled, also when they conflict', () => {
  expect(outcome([])).toEqual([]);
});
