import { globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  workspaceDependencies,
  workspacePackages,
  workspaceRoot,
  type WorkspacePackage,
} from './workspace-packages.ts';

/** The conductor's own layers: each may import those before it. */
const layers = ['@ironbark/core', '@ironbark/store', '@ironbark/engine', '@ironbark/api'];

const directoryOf = new Map(workspacePackages.map(({ directory, manifest }) => [manifest.name, directory]));
const kindOf = (name: string) => directoryOf.get(name)?.split('/')[0];

/** Why a package must not depend on another at run time; undefined when it may. */
function wrongArrow(from: WorkspacePackage, to: string): string | undefined {
  const kind = from.directory.split('/')[0];
  const target = kindOf(to);
  if (kind === 'packages') {
    if (target !== 'packages') return 'a library depends on libraries only';
    const own = layers.indexOf(from.manifest.name);
    const other = layers.indexOf(to);
    if (own === -1 && other > 0) return 'a library for drivers does not know the conductor';
    if (own !== -1 && (other === -1 || other >= own))
      return 'the layers of the conductor point one way: api → engine → store → core';
  }
  if (kind === 'plugins') {
    if (target !== 'packages') return 'a plugin depends on libraries, never on another plugin or an app';
    if (layers.indexOf(to) > 0) return 'a plugin knows the core, not the conductor';
  }
  if (kind === 'apps' && target !== 'packages') return 'operators choose the plugins, an app does not';
  return undefined;
}

describe.each(workspacePackages.filter(({ directory }) => !directory.startsWith('test')))(
  '$directory',
  (workspacePackage) => {
    const { directory, manifest } = workspacePackage;
    const sources = globSync('src/**/*.ts', { cwd: join(workspaceRoot, directory) });
    const imports = sources.flatMap((path) => {
      const text = readFileSync(join(workspaceRoot, directory, path), 'utf8');
      const specifiers = [
        ...text.matchAll(/^(?:import|export)\s[^;'"]*?from '([^']+)'|^import '([^']+)'|\bimport\(\s*'([^']+)'/gm),
      ];
      return specifiers.map(([, named, bare, dynamic]) => ({ path, specifier: named ?? bare ?? dynamic ?? '' }));
    });

    it('depends only on packages below it', () => {
      const wrong = workspaceDependencies(manifest, 'dependencies', 'peerDependencies').flatMap((name) => {
        const reason = wrongArrow(workspacePackage, name);
        return reason === undefined ? [] : [`${name}: ${reason}`];
      });
      expect(wrong).toEqual([]);
    });

    it('imports only what users get with it: packages of its manifest, or ones that the build makes part of it', () => {
      const builtIn = Object.keys(manifest.devDependencies ?? {}).filter((name) => !name.startsWith('@ironbark/'));
      const declared = new Set([
        ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
        ...builtIn,
      ]);
      const packageOf = (specifier: string) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
      const foreign = imports.filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'));
      expect(foreign.filter(({ specifier }) => !declared.has(packageOf(specifier)))).toEqual([]);
    });

    it("reaches into no other package's files", () => {
      const own = join(workspaceRoot, directory, 'src');
      const outside = imports.filter(({ path, specifier }) => {
        return (
          specifier.startsWith('.') &&
          relative(own, resolve(workspaceRoot, directory, path, '..', specifier)).startsWith('..')
        );
      });
      expect(outside).toEqual([]);
    });
  },
);
