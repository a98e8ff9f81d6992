import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../child-process.ts';
import type { OpenStackDetails } from './details.ts';

/** A volume that a machine can reach. */
export interface VolumeExport {
  readonly volumeId: string;
  /** The name of the iSCSI target; the LUN by host for Fibre Channel. */
  readonly target: string;
}

const volumeOf = /volume-([0-9a-f-]{36})/;

/** What tgtd and the Fibre Channel storage really export now. */
export async function exportsOf(details: OpenStackDetails): Promise<readonly VolumeExport[]> {
  const targets = [...(await targetNumbers(details)).keys()];
  const maps = (await readdir(details.volumeDirectory)).filter((name) => name.endsWith('.luns'));
  const luns = maps.map(async (name) => ({
    volumeId: volumeIdIn(name),
    target: await readFile(join(details.volumeDirectory, name), 'utf8'),
  }));
  return [...targets.map((target) => ({ volumeId: volumeIdIn(target), target })), ...(await Promise.all(luns))];
}

/** Takes a volume away from every machine, behind the back of Cinder. */
export async function removeExports(details: OpenStackDetails, volumeId: string): Promise<void> {
  await rm(join(details.volumeDirectory, `volume-${volumeId}.luns`), { force: true });
  for (const [name, tid] of await targetNumbers(details)) {
    if (volumeIdIn(name) === volumeId) await targetCommand(details, 'delete', '--force', '--tid', tid);
  }
}

async function targetNumbers(details: OpenStackDetails): Promise<ReadonlyMap<string, string>> {
  const output = await targetCommand(details, 'show');
  return new Map([...output.matchAll(/^Target (\d+): (\S+)$/gm)].map(([, tid = '', name = '']) => [name, tid]));
}

async function targetCommand(
  { iscsiEnvironment: env }: OpenStackDetails,
  operation: string,
  ...args: readonly string[]
): Promise<string> {
  return run('tgtadm', ['--lld', 'iscsi', '--mode', 'target', '--op', operation, ...args], { env, timeoutMs: 10_000 });
}

function volumeIdIn(name: string): string {
  return volumeOf.exec(name)?.[1] ?? '';
}
