import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { publishedPackages, workspaceDependencies, workspaceRoot } from '../workspace/workspace-packages.ts';

/**
 * Packs packages of the workspace and all that they need of it, as they would be published.
 * @param destination directory for the tarballs; exists.
 * @returns paths of the tarballs by the name of their package.
 */
export async function packPackages(
  names: readonly string[],
  destination: string,
): Promise<ReadonlyMap<string, string>> {
  const tarballs = new Map<string, string>();
  for (const name of withDependencies(names)) {
    const directory = join(
      workspaceRoot,
      publishedPackages.find(({ manifest }) => manifest.name === name)?.directory ?? '',
    );
    if (!existsSync(join(directory, 'dist/index.js'))) {
      throw new Error(`${name} has not been built: run "nx run-many -t build" first.`);
    }
    const { stdout } = await execa('pnpm', ['pack', '--json', '--pack-destination', destination], { cwd: directory });
    const { filename } = JSON.parse(stdout) as { readonly filename: string };
    tarballs.set(name, filename);
  }
  return tarballs;
}

function withDependencies(names: readonly string[]): readonly string[] {
  const all = new Set(names);
  for (const name of all) {
    const found = publishedPackages.find(({ manifest }) => manifest.name === name);
    if (found === undefined) throw new Error(`${name} is no published package of the workspace.`);
    for (const needed of workspaceDependencies(found.manifest, 'dependencies', 'peerDependencies')) all.add(needed);
  }
  return [...all];
}
