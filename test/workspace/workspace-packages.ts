import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const workspaceRoot = resolve(import.meta.dirname, '../..');

export interface WorkspacePackage {
  /** Folder relative to the root: `packages/core`. */
  readonly directory: string;
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly ironbark?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export const workspacePackages: readonly WorkspacePackage[] = globSync(
  ['{packages,plugins,apps,tools}/*/package.json', 'test/package.json'],
  { cwd: workspaceRoot },
)
  .map((path) => ({
    directory: dirname(path),
    manifest: JSON.parse(readFileSync(join(workspaceRoot, path), 'utf8')) as Manifest,
  }))
  .sort((left, right) => left.directory.localeCompare(right.directory));

export const publishedPackages = workspacePackages.filter(({ manifest }) => manifest.private !== true);

/** Names of the workspace's packages that a manifest lists under the given keys. */
export function workspaceDependencies(
  manifest: Manifest,
  ...keys: ('dependencies' | 'peerDependencies' | 'devDependencies')[]
): readonly string[] {
  return [...new Set(keys.flatMap((key) => Object.keys(manifest[key] ?? {})))].filter((name) =>
    name.startsWith('@ironbark/'),
  );
}
