import {
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { secretText, type BootFile, type BootLink } from '@ironbark/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { BootFileTree } from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { setUmask } from './umask.ts';

const node = '11111111-2222-4333-8444-555555555555';
const otherNode = '11111111-2222-4333-8444-666666666666';

function file(content: string, path = `${node}/config`, root: BootFile['root'] = 'http'): BootFile {
  return { root, path, content: secretText`${content}` };
}

function link(path: string, target = `${node}/config`, root: BootLink['root'] = 'http'): BootLink {
  return { root, path, target };
}

const macLink = link('pxelinux.cfg/52-54-00-12-34-56');

let directory: string;
let http: string;
let tree: BootFileTree;

beforeEach(async () => {
  directory = await temporaryDirectory();
  http = join(directory, 'http');
  await mkdir(http);
  await mkdir(join(directory, 'tftp'));
  tree = new BootFileTree({ roots: { http, tftp: join(directory, 'tftp') }, fileModes: { http: 0o640, tftp: 0o644 } });
});

async function listing(path = directory): Promise<readonly string[]> {
  return (await readdir(path, { recursive: true })).sort();
}

describe('write', () => {
  it('makes files and relative links to them in both roots', async () => {
    const tftpLink = link('grub/52:54:00:12:34:56.conf', `${node}/grub.cfg`, 'tftp');
    await tree.write(node, [file('a'), file('b', `${node}/grub.cfg`, 'tftp')], [macLink, tftpLink]);
    expect(await readFile(join(http, macLink.path), 'utf8')).toBe('a');
    expect(await readlink(join(http, macLink.path))).toBe(`../${node}/config`);
    expect(await readFile(join(directory, 'tftp', tftpLink.path), 'utf8')).toBe('b');
  });

  it('makes directories that everybody may enter', async () => {
    await tree.write(node, [file('a')], [macLink]);
    const modes = [node, 'pxelinux.cfg'].map(async (name) => (await stat(join(http, name))).mode & 0o777);
    expect(await Promise.all(modes)).toEqual([0o755, 0o755]);
  });

  it('makes directories that those may enter who may read the files in them, whatever the umask', async () => {
    setUmask(0o077);
    const grub = link('boot/grub/grub.cfg-01-52-54-00-12-34-56', `${node}/config`, 'tftp');
    await tree.write(node, [file('a'), file('a', `${node}/config`, 'tftp')], [macLink, grub]);
    const paths = [`http/${node}`, 'http/pxelinux.cfg', `tftp/${node}`, 'tftp/boot', 'tftp/boot/grub'];
    const modes = paths.map(async (path) => (await stat(join(directory, path))).mode & 0o777);
    expect(await Promise.all(modes)).toEqual([0o750, 0o750, 0o755, 0o755, 0o755]);
  });

  it('leaves a group that directories inherit', async () => {
    setUmask(0o027);
    await chmod(http, 0o2750);
    await tree.write(node, [file('a')], []);
    expect((await stat(join(http, node))).mode & 0o7777).toBe(0o2750);
  });

  it.each([0o640, 0o666, 0o400])('gives files the configured mode %o, whatever the umask', async (mode) => {
    const fileModes = { http: mode, tftp: 0o600 };
    const other = new BootFileTree({ roots: { http, tftp: join(directory, 'tftp') }, fileModes });
    await other.write(node, [file('a')], []);
    expect((await stat(join(http, node, 'config'))).mode & 0o777).toBe(mode);
  });

  it('replaces content and leaves no other file behind', async () => {
    await tree.write(node, [file('a')], [macLink]);
    const before = await listing();
    await tree.write(node, [file('bb')], [macLink]);
    expect(await readFile(join(http, node, 'config'), 'utf8')).toBe('bb');
    expect(await listing()).toEqual(before);
  });

  it('does not touch what is unchanged', async () => {
    await tree.write(node, [file('a')], [macLink]);
    const identities = async () =>
      Promise.all([macLink.path, `${node}/config`].map(async (path) => (await lstat(join(http, path))).ino));
    const before = await identities();
    await utimes(join(http, node, 'config'), 1, 1);
    await tree.write(node, [file('a')], [macLink]);
    expect(await identities()).toEqual(before);
    expect((await stat(join(http, node, 'config'))).mtimeMs).toBe(1000);
  });

  it('restores the mode of a file that somebody opened up', async () => {
    await tree.write(node, [file('a')], []);
    await chmod(join(http, node, 'config'), 0o666);
    await tree.write(node, [file('a')], []);
    expect((await stat(join(http, node, 'config'))).mode & 0o777).toBe(0o640);
  });

  it('goes on after a process was killed in the middle', async () => {
    await mkdir(join(http, node));
    await mkdir(join(http, 'pxelinux.cfg'));
    await writeFile(join(http, node, '.config.new'), 'half');
    await symlink('nowhere', join(http, macLink.path));
    await symlink('half', join(http, 'pxelinux.cfg', '.52-54-00-12-34-56.new'));
    await tree.write(node, [file('a')], [macLink]);
    expect(await readFile(join(http, macLink.path), 'utf8')).toBe('a');
    expect((await listing()).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('replaces a link that stands where a file belongs, and not what it leads to', async () => {
    await writeFile(join(directory, 'outside'), 'safe', { mode: 0o640 });
    await mkdir(join(http, node));
    await symlink(join(directory, 'outside'), join(http, node, 'config'));
    await tree.write(node, [file('safe')], []);
    expect((await lstat(join(http, node, 'config'))).isFile()).toBe(true);
    await tree.write(node, [file('changed')], []);
    expect(await readFile(join(directory, 'outside'), 'utf8')).toBe('safe');
  });

  it('does not write through a directory that is a link', async () => {
    await mkdir(join(directory, 'outside'));
    await symlink(join(directory, 'outside'), join(http, node));
    await expect(tree.write(node, [file('a')], [])).rejects.toMatchObject({ code: 'NETBOOT_FILE_FAILED' });
    expect(await readdir(join(directory, 'outside'))).toEqual([]);
  });

  it('takes a link over from another node', async () => {
    await tree.write(node, [file('a')], [macLink]);
    await tree.write(otherNode, [file('b', `${otherNode}/config`)], [{ ...macLink, target: `${otherNode}/config` }]);
    expect(await readFile(join(http, macLink.path), 'utf8')).toBe('b');
  });

  it('says what failed, where, and what to do', async () => {
    await mkdir(join(http, node, 'config', 'x'), { recursive: true });
    const failed = tree.write(node, [file('a')], []);
    await expect(failed).rejects.toMatchObject({
      code: 'NETBOOT_FILE_FAILED',
      hint: expect.stringContaining(http) as unknown,
    });
    await expect(failed).rejects.toThrow(node);
  });
});

const hostilePaths = [
  '../x',
  '/etc/x',
  `${node}/../x`,
  `${node}/.x`,
  `${node}//x`,
  `${node}/a b`,
  `${node}/a\0b`,
  '',
  '.',
  node,
  `${node}/`,
];

describe('paths', () => {
  it.each([...hostilePaths, 'boot.ipxe', `${otherNode}/config`])('of a file cannot be %j', async (path) => {
    await expect(tree.write(node, [file('a', path)], [])).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    expect(await listing()).toEqual(['http', 'tftp']);
  });

  it.each([...hostilePaths, `${otherNode}/config`, `${node}/link`])('of a link cannot be %j', async (path) => {
    await expect(tree.write(node, [], [link(path)])).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    await expect(tree.removeLinks(node, [link(path)])).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    expect(await listing()).toEqual(['http', 'tftp']);
  });

  it.each([...hostilePaths, `${otherNode}/config`, '/etc/passwd'])(
    'that a link leads to cannot be %j',
    async (target) => {
      await expect(tree.write(node, [], [link('a', target)])).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
      expect(await listing()).toEqual(['http', 'tftp']);
    },
  );

  it.each(['..', '', 'x', `${node}/..`, node.toUpperCase().replace('1', 'A'), `${node}\n`])(
    'need a uuid, which %j is not',
    async (uuid) => {
      await expect(tree.remove(uuid, [])).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
      await expect(tree.write(uuid, [file('a', `${uuid}/config`)], [])).rejects.toMatchObject({
        code: 'INVALID_PARAMETER',
      });
    },
  );
});

describe('keep', () => {
  it('gives a file that is there the mode that is configured now', async () => {
    await mkdir(join(http, node));
    await writeFile(join(http, node, 'kernel'), '', { mode: 0o600 });
    expect(await tree.keep(node, { root: 'http', path: `${node}/kernel` })).toBe(true);
    expect((await stat(join(http, node, 'kernel'))).mode & 0o777).toBe(0o640);
  });

  it('does not take a link or nothing for a file', async () => {
    await mkdir(join(http, node));
    await writeFile(join(directory, 'other'), '', { mode: 0o600 });
    await symlink(join(directory, 'other'), join(http, node, 'kernel'));
    expect(await tree.keep(node, { root: 'http', path: `${node}/kernel` })).toBe(false);
    expect(await tree.keep(node, { root: 'tftp', path: `${node}/kernel` })).toBe(false);
    expect((await stat(join(directory, 'other'))).mode & 0o777).toBe(0o600);
  });
});

describe('removeLinks', () => {
  it('passes over a link whose directory has become a file', async () => {
    await writeFile(join(http, 'pxelinux.cfg'), '');
    await tree.removeLinks(node, [macLink]);
    expect(await readdir(http)).toEqual(['pxelinux.cfg']);
  });
});

describe('a node directory that is a link to elsewhere', () => {
  it('is refused before anything there is kept or removed', async () => {
    const elsewhere = join(directory, 'elsewhere');
    await mkdir(elsewhere);
    for (const name of ['kernel', 'other']) await writeFile(join(elsewhere, name), '');
    await symlink(elsewhere, join(http, node));
    const kept = { root: 'http', path: `${node}/kernel` } as const;
    await expect(tree.keep(node, kept)).rejects.toMatchObject({ code: 'NETBOOT_FILE_FAILED' });
    await tree.prune(node, []);
    expect(await readdir(elsewhere)).toEqual(['kernel', 'other']);
    expect(await readdir(http)).toEqual([]);
  });
});

describe('a file that belongs to no node', () => {
  it('does not take the place of another, but may be put there again', async () => {
    const sources = ['one.efi', 'other.efi'].map((name) => join(directory, name));
    for (const source of sources) await writeFile(source, source);
    const [one = '', other = ''] = sources;
    const place = { root: 'http', path: 'loader.efi' } as const;
    await tree.placeShared(place, one);
    await tree.placeShared(place, one);
    await expect(tree.placeShared(place, other)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/other\.efi.*one\.efi/) as unknown,
    });
    expect(await readFile(join(http, place.path), 'utf8')).toBe(one);
  });
});

describe('writeShared', () => {
  it('makes a file that everybody may read', async () => {
    await tree.writeShared(file('a', 'boot.ipxe'));
    expect((await stat(join(http, 'boot.ipxe'))).mode & 0o777).toBe(0o644);
  });

  it.each([`${node}/config`, '../boot.ipxe'])('refuses %s', async (path) => {
    await expect(tree.writeShared(file('a', path))).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });
});

describe('remove', () => {
  it('takes away the node directories of both roots and the links, and nothing of another node', async () => {
    const other = { ...link('pxelinux.cfg/52-54-00-12-34-57'), target: `${otherNode}/config` };
    await tree.write(otherNode, [file('b', `${otherNode}/config`)], [other]);
    const before = await listing();
    await tree.write(node, [file('a'), file('c', `${node}/deep/er/file`), file('d', `${node}/x`, 'tftp')], [macLink]);
    await tree.remove(node, [macLink]);
    expect(await listing()).toEqual(before);
  });

  it('can be repeated, also when nothing was ever written', async () => {
    await tree.remove(node, [macLink]);
    await tree.remove(node, [macLink]);
    expect(await listing()).toEqual(['http', 'tftp']);
  });

  it('leaves a link that meanwhile leads to another node', async () => {
    await tree.write(node, [file('a')], [macLink]);
    await tree.write(otherNode, [file('b', `${otherNode}/config`)], [{ ...macLink, target: `${otherNode}/config` }]);
    await tree.remove(node, [macLink]);
    expect(await readFile(join(http, macLink.path), 'utf8')).toBe('b');
  });

  it('leaves a regular file that stands where the link was', async () => {
    await mkdir(join(http, 'pxelinux.cfg'));
    await writeFile(join(http, macLink.path), 'by hand');
    await tree.remove(node, [macLink]);
    expect(await readFile(join(http, macLink.path), 'utf8')).toBe('by hand');
  });

  it('follows no link out of the node directory', async () => {
    await mkdir(join(directory, 'outside'));
    await writeFile(join(directory, 'outside', 'file'), 'safe');
    await tree.write(node, [file('a')], []);
    await symlink(join(directory, 'outside'), join(http, node, 'outside'));
    await symlink(join(directory, 'outside'), join(directory, 'tftp', node));
    await tree.remove(node, []);
    expect(await readFile(join(directory, 'outside', 'file'), 'utf8')).toBe('safe');
    expect(await listing()).toEqual(['http', 'outside', 'outside/file', 'tftp']);
  });

  it('also takes what an interrupted replacement of a link left', async () => {
    await mkdir(join(http, 'pxelinux.cfg'));
    await symlink(`../${node}/config`, join(http, 'pxelinux.cfg', '.52-54-00-12-34-56.new'));
    await tree.remove(node, [macLink]);
    expect(await readdir(join(http, 'pxelinux.cfg'))).toEqual([]);
  });
});

describe('place', () => {
  const kernel = { root: 'http', path: `${node}/kernel` } as const;

  async function source(content: string): Promise<string> {
    const path = join(directory, 'image');
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  it('puts a copy into the directory of the node, with the mode of the root', async () => {
    await tree.place(node, kernel, await source('a'));
    await tree.place(node, { ...kernel, root: 'tftp' }, await source('b'));
    expect(await readFile(join(http, kernel.path), 'utf8')).toBe('a');
    const modes = [http, join(directory, 'tftp')].map(
      async (root) => (await stat(join(root, kernel.path))).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o640, 0o644]);
  });

  it('does not change what a machine is reading', async () => {
    await tree.place(node, kernel, await source('old'));
    const reader = await open(join(http, kernel.path));
    await tree.place(node, kernel, await source('new'));
    expect(await reader.readFile('utf8')).toBe('old');
    await reader.close();
  });

  it('takes no notice of what a killed process left, and does not write through a link in its place', async () => {
    const outside = join(directory, 'outside');
    await writeFile(outside, 'untouched');
    await mkdir(join(http, node));
    await symlink(outside, join(http, node, '.kernel.new'));
    await tree.place(node, kernel, await source('a'));
    expect(await readFile(outside, 'utf8')).toBe('untouched');
    expect(await readdir(join(http, node))).toEqual(['kernel']);
  });

  it('leaves the old one when the image cannot be read', async () => {
    await tree.place(node, kernel, await source('old'));
    const refused = tree.place(node, kernel, join(directory, 'missing'));
    await expect(refused).rejects.toMatchObject({ code: 'NETBOOT_FILE_FAILED' });
    expect(await readdir(join(http, node))).toEqual(['kernel']);
    expect(await readFile(join(http, kernel.path), 'utf8')).toBe('old');
  });

  it.each([`${otherNode}/kernel`, 'kernel', `${node}/../kernel`])('refuses %s', async (path) => {
    await expect(tree.place(node, { root: 'http', path }, await source('a'))).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
    });
  });
});

describe('prune', () => {
  it('keeps what it is told, in the root that it is told, and removes the rest of the node', async () => {
    const files = [file('a'), file('b', `${node}/old/kernel`), file('c', `${node}/config`, 'tftp')];
    await tree.write(node, files, [macLink]);
    await tree.write(otherNode, [file('d', `${otherNode}/config`)], []);
    await tree.prune(node, [{ root: 'http', path: `${node}/config` }]);
    expect((await listing(http)).filter((path) => !path.startsWith('pxelinux'))).toEqual(
      [node, `${node}/config`, otherNode, `${otherNode}/config`].sort(),
    );
    expect(await listing(join(directory, 'tftp'))).toEqual([]);
  });

  it('removes the directory when nothing is kept, and does nothing when there is none', async () => {
    await tree.write(node, [file('a')], []);
    await tree.prune(node, []);
    await tree.prune(node, []);
    expect(await listing(http)).toEqual([]);
  });
});
