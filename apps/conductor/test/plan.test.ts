import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger, wrapSecrets, type Info } from '@ironbark/core';
import { describe, expect, it, vi } from 'vitest';
import { composeConductor } from '../src/compose.ts';
import { parseConfig } from '../src/config/load.ts';
import { arraySite, deployedNode } from './array-site.ts';
import { ironbark, pluginDirectory, serve } from './ironbark.ts';
import { createSite } from './site.ts';

// Processes are started; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const config = {
  hostname: 'c-1',
  api: { port: 0, public_url: 'http://conductor.example:6385' },
  plugins: ['hardware-fake', 'boot-ipxe', 'storage-external'].map((name) => join(pluginDirectory, name)),
  enabled: {
    hardware: ['fake-hardware'],
    power: ['fake'],
    management: ['fake'],
    boot: ['ipxe', 'fake'],
    storage: ['external', 'noop'],
    deploy: ['volume', 'fake'],
  },
  defaults: { storage: 'external', boot: 'ipxe', deploy: 'volume' },
  settings: { netboot: { http_url: 'http://boot.example:8080', listen: { host: '127.0.0.1', port: 0 } } },
};

const properties = wrapSecrets({
  target_portal: '10.0.0.1:3260',
  target_iqn: 'iqn.2010-10.org.example:volume-1',
  target_lun: 1,
  auth_method: 'CHAP',
  auth_username: 'initiator',
  auth_password: 'correct-horse',
}) as Info;

/** A site with a node `n-1` that can be deployed, or lacks its iSCSI name. */
async function siteWithNode(options: { readonly complete: boolean } = { complete: true }) {
  const site = createSite();
  writeFileSync(join(site, 'ironbark.yaml'), JSON.stringify(config));
  const conductor = await composeConductor(parseConfig(config, site), { log: silentLogger, apiUrl: async () => null });
  const { engine } = conductor;
  await engine.start();
  const node = await engine.nodes.create({
    name: 'n-1',
    driver: 'fake-hardware',
    properties: { capabilities: 'iscsi_boot:True' },
  });
  const nodeUuid = node.uuid;
  await engine.ports.create({ nodeUuid, address: '52:54:00:00:00:01' });
  if (options.complete) {
    await engine.volumeConnectors.create({ nodeUuid, type: 'iqn', connectorId: 'iqn.2017-08.org.example:n-1' });
  }
  await engine.volumeTargets.create({ nodeUuid, volumeType: 'iscsi', bootIndex: 0, volumeId: 'v-1', properties });
  for (const verb of ['manage', 'provide'] as const) {
    await engine.provisioning.request('n-1', { verb });
    await engine.idle();
  }
  await engine.stop(1000);
  await conductor.dispose();
  return { site, nodeUuid };
}

/** Every file below a directory with what it holds. */
function contents(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile() && !/-(?:wal|shm)$/.test(name))
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex')}`,
    )
    .sort();
}

describe('plan', () => {
  it('shows steps, boot source and rendered files, with secrets masked', async () => {
    const { site, nodeUuid } = await siteWithNode();
    const { exitCode, stdout, stderr } = await ironbark(['plan', 'n-1', '--site', site]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Plan for node ${nodeUuid}: a deployment would begin. Nothing was touched.`);
    expect(stdout).toMatch(/\nSteps\n(?: +\d\. {2}.+\n)* +\d\. {2}storage\.attach /);
    expect(stdout).toContain('\nBoot source\n  iscsi\n');
    expect(stdout).toMatch(
      /\nFile http:.*\n(?:.*\n)* {2}.*iscsi:10\.0\.0\.1::3260:1:iqn\.2010-10\.org\.example:volume-1/,
    );
    expect(stdout).toContain('******');
    expect(stdout).not.toContain('correct-horse');
  });

  it('shows the calls of the storage, and that they decide what the machine boots from', async () => {
    const site = arraySite();
    const { url } = await serve(site);
    await deployedNode(url, 'n-1');
    const { exitCode, stdout } = await ironbark(['plan', 'n-1', '--site', site]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /\nWarnings\n {2}- What the machine boots from is decided when volume boot-of-n-1 .* is attached/,
    );
    expect(stdout).toContain('\nStorage calls\n  1.  export boot-of-n-1  array\n');
    expect(stdout).toContain('\nBoot source\n  undecided until the boot volume is attached');
  });

  it('prints JSON that holds the same, with secrets masked', async () => {
    const { site, nodeUuid } = await siteWithNode();
    const { stdout } = await ironbark(['plan', nodeUuid, '--json', '--site', site]);
    expect(JSON.parse(stdout)).toMatchObject({ nodeUuid, problems: [], bootSource: 'iscsi' });
    expect(stdout).not.toContain('correct-horse');
  });

  it('changes nothing in the site', async () => {
    const { site } = await siteWithNode();
    const before = contents(site);
    await ironbark(['plan', 'n-1', '--site', site]);
    expect(contents(site)).toEqual(before);
  });

  it('works beside the conductor of the site', async () => {
    const { site } = await siteWithNode();
    await serve(site);
    expect((await ironbark(['plan', 'n-1', '--site', site])).exitCode).toBe(0);
  });

  it('exits with 1 when the deployment would be refused, naming the problem', async () => {
    const { site } = await siteWithNode({ complete: false });
    const { exitCode, stdout } = await ironbark(['plan', 'n-1', '--site', site]);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/would be refused.*\n\nProblems\n {2}- .*iqn/)]);
  });

  it('does not find a node that is not there', async () => {
    const { site } = await siteWithNode();
    const { exitCode, stderr } = await ironbark(['plan', 'n-2', '--site', site]);
    expect([exitCode, stderr]).toEqual([1, 'Error: Node n-2 could not be found. [NOT_FOUND]']);
  });

  it('does not make a database', async () => {
    const site = createSite();
    writeFileSync(join(site, 'ironbark.yaml'), JSON.stringify(config));
    const { exitCode, stderr } = await ironbark(['plan', 'n-1', '--site', site]);
    expect([exitCode, stderr, readdirSync(site)]).toEqual([
      2,
      expect.stringContaining('There is no database'),
      ['ironbark.yaml'],
    ]);
  });
});
