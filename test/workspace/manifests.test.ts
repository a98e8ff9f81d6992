import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage } from '@ironbark/driver-testkit';
import { describe, expect, it } from 'vitest';
import { publishedPackages, workspacePackages, workspaceRoot } from './workspace-packages.ts';

describe.each(publishedPackages)('$directory', ({ directory, manifest }) => {
  it('is ready to be published: licence, files, exports, README', () => {
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      files: ['dist'],
      exports: { './package.json': './package.json' },
    });
    for (const file of ['LICENSE', 'README.md'])
      expect(existsSync(join(workspaceRoot, directory, file)), file).toBe(true);
  });
});

describe.each(publishedPackages.filter(({ directory }) => directory.startsWith('plugins/')))(
  '$directory',
  ({ directory, manifest }) => {
    it('has a manifest that the plugin loader accepts', async () => {
      expect(manifest.ironbark).toBeDefined();
      expect(await checkPackage(join(workspaceRoot, directory))).toEqual([]);
    });
  },
);

describe.each(workspacePackages)('$directory', ({ directory, manifest }) => {
  it('takes every version from the catalog or the workspace', () => {
    const versions = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.peerDependencies,
    });
    expect(versions.filter(([, version]) => version !== 'catalog:' && !version.startsWith('workspace:'))).toEqual([]);
  });

  it('is checked by the compiler together with what it uses', () => {
    const { references = [] } = JSON.parse(readFileSync(join(workspaceRoot, directory, 'tsconfig.json'), 'utf8')) as {
      references?: { path: string }[];
    };
    const referenced = references.map(({ path }) => join(directory, path));
    const used = workspacePackages.filter(
      ({ manifest: { name } }) =>
        name in { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies },
    );
    expect(referenced.sort()).toEqual(used.map((other) => other.directory).sort());
  });
});
