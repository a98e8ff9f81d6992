import assert from 'node:assert/strict';
import {
  bootDevices,
  formatImageReference,
  initramfsTypes,
  isSecret,
  type BootArtifacts,
  type BootFile,
  type BootImage,
  type IscsiBoot,
  type Journal,
} from '@ironbark/core';
import {
  contentsOf,
  declaredBy,
  renderFor,
  requestFor,
  revealedArtifacts,
  sortedTree,
  type BootBench,
  type BootContext,
} from './boot-harness.ts';
import { declaredSources, iscsiSource, nfsSource, ramdiskSource, reportToken, requestOf } from './boot-sources.ts';
import { thrown } from './outcome.ts';
import { assertHidden } from './secrecy.ts';

const refusal = /^(INVALID_PARAMETER|UNSUPPORTED)$/;

/** Tests that `render` computes values from values and does nothing else. */
export function describePureRender({ runner: { describe, it }, use }: BootContext): void {
  describe('render is pure', () => {
    it('gives the same for the same input, whatever was rendered in between', () =>
      use(async (bench) => {
        const first = revealedArtifacts(renderFor(bench));
        renderFor(bench, bench.records(1));
        assert.deepEqual(revealedArtifacts(renderFor(bench)), first);
        await Promise.resolve();
      }));

    it('writes nothing', () =>
      use(async (bench) => {
        const before = await sortedTree(bench);
        renderFor(bench);
        assert.deepEqual(await sortedTree(bench), before);
      }));

    it('works on frozen records without the journal', () =>
      use(async (bench) => {
        const records = deepFreeze(bench.records());
        const refuse = () => Promise.reject(new assert.AssertionError({ message: 'render used the journal' }));
        const journal: Journal = { get: refuse, put: refuse, delete: refuse, list: refuse };
        const artifacts = bench.driver.render(bench.task(records, { journal }), deepFreeze(requestFor(bench, records)));
        assert.ok(Array.isArray(artifacts.files), 'render did not return artifacts');
        await Promise.resolve();
      }));
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || isSecret(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}

/** Tests of what comes out of `render`. */
export function describeArtifacts({ runner: { describe, it }, use }: BootContext): void {
  describe('artifacts', () => {
    it('have paths inside their root, each once, and links that lead to a file of theirs', () =>
      use(async (bench) => {
        const artifacts = renderFor(bench);
        const { files, links } = artifacts;
        const places = [...files, ...links, ...(artifacts.images ?? [])].map(({ root, path }) => `${root}/${path}`);
        assert.deepEqual([...new Set(places)], places, 'a path occurs twice');
        assertInsideRoot(artifacts);
        for (const link of links) {
          const leads = files.some((file) => file.root === link.root && file.path === link.target);
          assert.ok(leads, `link ${link.path} leads to ${link.target}, which is no file of the artifacts`);
        }
        await Promise.resolve();
      }));

    it('of two nodes have no link in common, and files in common only with the same content', () =>
      use(async (bench) => {
        const [first, second] = [bench.records(0), bench.records(1)].map((records) => renderFor(bench, records));
        assert.ok(first !== undefined && second !== undefined);
        const links = new Set(first.links.map(({ root, path }) => `${root}/${path}`));
        assert.deepEqual(
          second.links.filter(({ root, path }) => links.has(`${root}/${path}`)),
          [],
        );
        for (const file of second.files) {
          const same: BootFile | undefined = first.files.find(
            ({ root, path }) => root === file.root && path === file.path,
          );
          if (same !== undefined) assert.equal(same.content.reveal(), file.content.reveal());
        }
        for (const { root, path, image } of second.images ?? []) {
          const same: BootImage | undefined = first.images?.find((one) => root === one.root && path === one.path);
          if (same !== undefined) assert.equal(formatImageReference(same.image), formatImageReference(image));
        }
        await Promise.resolve();
      }));

    it('name a boot device that the API knows, or none', () =>
      use(async (bench) => {
        const { bootDevice } = renderFor(bench);
        assert.ok(bootDevice === null || bootDevices.some((device) => device === bootDevice), `it is ${bootDevice}`);
        await Promise.resolve();
      }));

    it('boot a machine that is served over the network from there, and one with a local disk from that', () =>
      use(async (bench) => {
        for (const source of declaredBy(bench)) {
          const { files, images = [], bootDevice } = bench.driver.render(bench.task(), requestOf(source));
          const isServed = files.length + images.length > 0;
          assert.ok(!isServed || bootDevice !== 'disk', `the boot device for ${source.kind} is disk`);
        }
        const { bootDevice } = bench.driver.render(bench.task(), requestOf({ kind: 'local_disk' }));
        assert.ok(bootDevice === 'disk' || bootDevice === null, `the boot device for the local disk is ${bootDevice}`);
        await Promise.resolve();
      }));

    it('show secrets in nothing but the revealed content of their files', () =>
      use(async (bench) => {
        const artifacts = renderFor(bench);
        const secrets = [...bench.secrets, reportToken];
        assertHidden('the artifacts', artifacts, secrets);
        for (const { path, content } of artifacts.files) assertHidden(`the text of ${path}`, String(content), secrets);
        await Promise.resolve();
      }));
  });
}

export function assertInsideRoot({ files, links, images = [] }: BootArtifacts): void {
  const paths = [...files, ...links, ...images].map(({ path }) => path);
  for (const path of [...paths, ...links.map(({ target }) => target)]) {
    assert.ok(isInsideRoot(path), `${JSON.stringify(path)} is no path inside the root`);
  }
}

export function isInsideRoot(path: string): boolean {
  return /^[^/\\\0]+(?:\/[^/\\\0]+)*$/.test(path) && !path.split('/').some((part) => /^\.{1,2}$/.test(part));
}

/** Tests that an interface renders what it declares and refuses what it does not. */
export function describeSources({ runner: { describe, it }, use }: BootContext): void {
  describe('boot sources', () => {
    for (const { tag, make } of declaredSources) {
      it(`renders the source of ${tag} when that is declared, and refuses it by name when it is not`, () =>
        use(async (bench) => {
          const { capabilities = [] } = bench.driver;
          const request = requestOf(make(bench.records(), capabilities));
          const render = () => bench.driver.render(bench.task(), request);
          if (capabilities.includes(tag)) assertInsideRoot(render());
          else thrown(`rendering ${request.source.kind}`, render, refusal, bench.secrets);
          await Promise.resolve();
        }));
    }

    it('renders the local disk', () =>
      use(async (bench) => {
        assertInsideRoot(bench.driver.render(bench.task(), requestOf({ kind: 'local_disk' })));
        await Promise.resolve();
      }));

    it('renders nothing but the boot device for a machine whose own adapter finds the volume', () =>
      use(async (bench) => {
        const artifacts = revealedArtifacts(bench.driver.render(bench.task(), requestOf({ kind: 'hba' })));
        const { files, links, images, dhcp, bootDevice, httpBootUrl } = artifacts;
        assert.deepEqual(
          { files, links, images, dhcp, bootDevice, httpBootUrl },
          { files: [], links: [], images: [], dhcp: [], bootDevice: 'disk', httpBootUrl: null },
        );
        await Promise.resolve();
      }));

    it('renders without an address to report to', () =>
      use(async (bench) => {
        const artifacts = bench.driver.render(bench.task(), { ...requestFor(bench), reportUrl: null });
        assert.ok(!contentsOf(artifacts).includes(reportToken));
        await Promise.resolve();
      }));

    it('tells an iSCSI machine its own name, every path and the credentials, when it writes files for it', () =>
      use(async (bench) => {
        const { capabilities = [] } = bench.driver;
        if (!capabilities.includes('iscsi_volume_boot')) return;
        const plain = iscsiSource(bench.records(), capabilities);
        for (const initramfsType of plain.system === null ? [null] : [null, ...initramfsTypes]) {
          const system = plain.system && { ...plain.system, initramfsType };
          // The parameters of initramfs-tools have room for one path.
          const volumes = initramfsType === 'initramfs-tools' ? plain : twoPaths(plain);
          const source = { ...volumes, system, extraVolumes: [] };
          const { chap, paths } = source.volume.connection;
          const wanted = [source.initiatorIqn, ...paths.flatMap((path) => [path.portal.host, path.iqn])];
          if (chap !== null) wanted.push(chap.username, chap.password.reveal());
          if (system !== null) wanted.push(system.root);
          assertTold(bench, bench.driver.render(bench.task(), requestOf(source)), wanted);
        }
        await Promise.resolve();
      }));

    it('tells a machine with an NFS root its server and path, when it writes files for it', () =>
      use(async (bench) => {
        if (!(bench.driver.capabilities ?? []).includes('nfs_volume_boot')) return;
        const source = nfsSource();
        const { server, path } = source.connection;
        assertTold(bench, bench.driver.render(bench.task(), requestOf(source)), [server, path]);
        await Promise.resolve();
      }));

    it('tells a machine that runs from a ramdisk its kernel parameters, when it writes files for it', () =>
      use(async (bench) => {
        if (!(bench.driver.capabilities ?? []).includes('ramdisk_boot')) return;
        const source = ramdiskSource();
        assertTold(bench, bench.driver.render(bench.task(), requestOf(source)), source.parameters);
        await Promise.resolve();
      }));
  });
}

function assertTold(bench: BootBench, artifacts: BootArtifacts, wanted: readonly string[]): void {
  if (artifacts.files.length === 0) return;
  const content = contentsOf(artifacts);
  const lacking = wanted.filter((text) => !content.includes(text));
  const names = lacking.map((text) => (bench.secrets.includes(text) ? 'the password' : text));
  assert.deepEqual(names, [], 'the files lack something');
}

/**
 * The source with a second path, an IPv6 portal and a target name of its own. It has no further volume then: firmware tables have room
 * for two targets.
 */
function twoPaths(source: IscsiBoot): IscsiBoot {
  const { connection } = source.volume;
  const second = { portal: { host: '2001:db8::1', port: 3261 }, iqn: 'iqn.2010-10.org.example:second-path', lun: 10 };
  return {
    ...source,
    volume: { ...source.volume, connection: { ...connection, paths: [...connection.paths, second] } },
  };
}
