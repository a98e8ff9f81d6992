import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSecret, revealText, Secret } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../src/index.ts';
import { node, target, temporaryDirectory, temporaryStore, uuid } from './records.ts';

describe('secrets at rest', () => {
  it('come back as secrets with their value', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1));
    await store.volumeTargets.insert(
      target(2, uuid(1), { properties: { auth_password: Secret.of('opensesame'), target_lun: 0 } }),
    );
    const properties = (await store.volumeTargets.find(uuid(2)))?.properties ?? {};
    expect(isSecret(properties['auth_password'])).toBe(true);
    expect(revealText(properties['auth_password'])).toBe('opensesame');
    expect(properties['target_lun']).toBe(0);
  });

  it('are in no file of the database in the clear', async () => {
    const directory = temporaryDirectory();
    const store = await temporaryStore(directory);
    await store.nodes.insert(node(1, { driverInfo: { redfish_password: Secret.of('opensesame') } }));
    await store.journal.put(uuid(1), 'boot', 'token', Secret.of('opensesame'));
    await store.nodes.update(uuid(1), { lastError: 'unrelated' });
    const contents = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'latin1'));
    expect(contents.some((content) => content.includes('redfish_password'))).toBe(true);
    expect(contents.some((content) => content.includes('opensesame'))).toBe(false);
  });

  it('survive a restart', async () => {
    const directory = temporaryDirectory();
    const first = await temporaryStore(directory);
    await first.nodes.insert(node(1, { driverInfo: { redfish_password: Secret.of('opensesame') } }));
    await first.close();
    const second = await temporaryStore(directory);
    expect(revealText((await second.nodes.find(uuid(1)))?.driverInfo['redfish_password'])).toBe('opensesame');
  });

  it('can be read from one database and written into another', async () => {
    const [first, second] = [await temporaryStore(), await temporaryStore()];
    await first.nodes.insert(node(1, { driverInfo: { redfish_password: Secret.of('opensesame') } }));
    const read = await first.nodes.find(uuid(1));
    await second.nodes.insert(node(1, { driverInfo: read?.driverInfo ?? {} }));
    expect(revealText((await second.nodes.find(uuid(1)))?.driverInfo['redfish_password'])).toBe('opensesame');
  });

  it('cannot be forged by a client that writes the marker of a sealed secret', async () => {
    const store = await temporaryStore();
    const extra = { $sealed: 'AAAA', nested: { $$sealed: 'BBBB' } };
    await store.nodes.insert(node(1, { extra, driverInfo: { password: Secret.of('x') } }));
    expect((await store.nodes.find(uuid(1)))?.extra).toEqual(extra);
  });
});

describe('the key file', () => {
  it('is made at the first start and readable for its owner only', async () => {
    const directory = temporaryDirectory();
    await temporaryStore(directory);
    expect(statSync(join(directory, 'secret.key')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['is missing', (path: string) => rmSync(path)],
    ['is another one', (path: string) => writeFileSync(path, `${Buffer.alloc(32, 7).toString('base64')}\n`)],
    ['is damaged', (path: string) => writeFileSync(path, 'damaged\n')],
  ])('stops the start when it %s', async (_what, damage) => {
    const directory = temporaryDirectory();
    const store = await temporaryStore(directory);
    await store.close();
    damage(join(directory, 'secret.key'));
    const reopened = openSqliteStore({ file: join(directory, 'ironbark.db'), keyFile: join(directory, 'secret.key') });
    await expect(reopened).rejects.toMatchObject({
      code: 'SECRET_KEY_INVALID',
      hint: expect.stringContaining('Restore'),
    });
  });
});
