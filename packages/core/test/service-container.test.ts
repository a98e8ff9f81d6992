import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineService, silentLogger } from '../src/index.ts';
import { ServiceContainer } from '../src/plugin/service-container.ts';
import { Settings } from '../src/plugin/settings.ts';
import { createSite } from './fixture-site.ts';

function container(options: { readonly settings?: Record<string, unknown>; readonly dryRun?: boolean } = {}) {
  const stateDirectory = join(createSite({}), 'state');
  const { settings = {}, dryRun = false } = options;
  return {
    stateDirectory,
    services: new ServiceContainer({ settings: new Settings(settings), log: silentLogger, stateDirectory, dryRun }),
  };
}

/** A service that counts how often it is made and disposed; made when `release` is called. */
function counted(name: string) {
  const counts = { made: 0, disposed: 0 };
  let release = (): void => {};
  const ready = new Promise<void>((resolve) => (release = resolve));
  const token = defineService({
    name,
    create: async () => {
      counts.made += 1;
      await ready;
      return { number: counts.made };
    },
    dispose: () => {
      counts.disposed += 1;
    },
  });
  return { token, counts, release };
}

describe('a shared service', () => {
  it('is made once, also when it is asked for twice at the same time', async () => {
    const { services } = container();
    const { token, counts, release } = counted('netboot');
    const both = [services.use(token), services.use(token)];
    release();
    const [first, second] = await Promise.all(both);
    expect([counts.made, first === second, (await services.use(token)) === first]).toEqual([1, true, true]);
  });

  it('is the same for tokens of the same name from two copies of a library', async () => {
    const { services } = container();
    const [mine, other] = [counted('netboot'), counted('netboot')];
    mine.release();
    other.release();
    expect((await services.use(mine.token)) === (await services.use(other.token))).toBe(true);
  });

  it('is not made before it is asked for', async () => {
    const { services } = container();
    const { counts } = counted('netboot');
    await services.dispose();
    expect(counts).toEqual({ made: 0, disposed: 0 });
  });

  it('gets its settings, validated', async () => {
    const { services } = container({ settings: { netboot: { port: '8080' } } });
    const token = defineService({
      name: 'netboot',
      config: z.object({ port: z.coerce.number() }),
      create: ({ config }) => config,
    });
    expect(await services.use(token)).toEqual({ port: 8080 });
  });

  it('is refused with the key of a wrong setting', async () => {
    const { services } = container({ settings: { netboot: { port: 'x' } } });
    const token = defineService({
      name: 'netboot',
      config: z.object({ port: z.number() }),
      create: ({ config }) => config,
    });
    await expect(services.use(token)).rejects.toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          /^The settings of service netboot are wrong: settings\.netboot\.port: /,
        ) as string,
      }),
    );
  });

  it('gets a directory of its own that only the conductor may enter', async () => {
    const { services, stateDirectory } = container();
    const directory = await services.use(defineService({ name: 'netboot', create: (host) => host.stateDirectory }));
    expect([directory, statSync(directory).mode & 0o777]).toEqual([join(stateDirectory, 'netboot'), 0o700]);
  });

  it('leaves no directory behind in a dry run, of which it knows', async () => {
    const { services, stateDirectory } = container({ dryRun: true });
    const dryRun = await services.use(defineService({ name: 'netboot', create: (host) => ({ is: host.dryRun }) }));
    expect([dryRun.is, existsSync(stateDirectory)]).toEqual([true, false]);
  });

  it('that cannot be made fails for all who wait for it, and is tried again for the next', async () => {
    const { services } = container();
    let attempts = 0;
    const token = defineService({
      name: 'netboot',
      create: () => {
        attempts += 1;
        if (attempts === 1) throw new Error('port in use');
        return { attempts };
      },
    });
    const outcomes = await Promise.allSettled([services.use(token), services.use(token)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await services.use(token)).toEqual({ attempts: 2 });
  });

  it('that cannot be made is named in the error', async () => {
    const { services } = container();
    const token = defineService({ name: 'netboot', create: () => Promise.reject(new Error('port in use')) });
    await expect(services.use(token)).rejects.toThrow(
      expect.objectContaining({
        code: 'PLUGIN_LOAD_FAILED',
        message: 'Service netboot could not be made: port in use',
      }),
    );
  });

  it.each(['../etc', 'Netboot', '', 'a/b'])('cannot be called %j', async (name) => {
    const { services } = container();
    await expect(services.use(defineService({ name, create: () => 1 }))).rejects.toThrow(
      expect.objectContaining({ code: 'PLUGIN_LOAD_FAILED' }),
    );
  });
});

describe('the end of the services', () => {
  it('comes in the reverse order of their making', async () => {
    const { services } = container();
    const order: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      await services.use(defineService({ name, create: () => name, dispose: (service) => void order.push(service) }));
    }
    await services.dispose();
    expect(order).toEqual(['c', 'b', 'a']);
  });

  it('waits for one that is being made, and disposes it', async () => {
    const { services } = container();
    const { token, counts, release } = counted('netboot');
    const use = services.use(token);
    const end = services.dispose();
    release();
    await Promise.all([use, end]);
    expect(counts).toEqual({ made: 1, disposed: 1 });
  });

  it('is final: nothing is made after it', async () => {
    const { services } = container();
    await services.dispose();
    const { token, counts } = counted('netboot');
    await expect(services.use(token)).rejects.toThrow('after the shutdown');
    expect(counts.made).toBe(0);
  });
});
