import { notFound, timestamp } from '@ironbark/core';
import type { EngineContext } from './context.ts';
import type { BootReport } from './engine.ts';
import { bootReportToken } from './operations/boot.ts';
import { failureEntry } from './provision-state.ts';
import { isEqual } from './services/agents.ts';

/** Takes a machine's word that it could not boot into `last_error`, when its token is right. */
export async function reportBootFailure(
  context: EngineContext,
  nodeUuid: string,
  token: string,
  report: BootReport,
): Promise<void> {
  const known = await bootReportToken(context, nodeUuid);
  if (known === undefined || !isEqual(known.reveal(), token)) throw notFound('Boot report', 'of this address');
  const lastError = describeBootFailure(report);
  // A machine that tries again and again says the same each time: once is enough for the record.
  if ((await context.store.nodes.find(nodeUuid))?.lastError === lastError) return;
  const node = await context.store.nodes.update(nodeUuid, { lastError, updatedAt: timestamp() });
  await context.store.history.append(failureEntry(context, nodeUuid, 'boot', lastError));
  context.events.emit('boot.failed', nodeUuid, { error: lastError });
  context.log.warn({ node: node.uuid, error: lastError }, 'the machine could not boot');
}

/**
 * What a SAN boot of iPXE can fail with, by the first digits of its errno (https://ipxe.org/err): the error and the source file that
 * it arose in. The digits after them differ between versions.
 */
const causes: readonly (readonly [RegExp, string])[] = [
  [/^410d61/, 'the target refused the CHAP credentials'],
  [/^430d66/, 'the target demands CHAP credentials, and none were given'],
  [/^1c0d62/, 'the CHAP credentials are incomplete'],
  [/^020d6[12]/, 'the target did not prove its own mutual CHAP credentials'],
  [/^2c0d60/, 'the target does not know this iSCSI name, or does not offer it to this initiator'],
  [/^1d70/, 'the target has no such LUN'],
  [/^0f0a60/, 'the portal refused the connection: nothing listens there'],
  [/^4c0a60/, 'the portal did not answer in time'],
  [/^3485/, 'the volumes do not fit into the boot firmware table (iBFT)'],
  [/^1d85/, 'the volume has no readable boot sector'],
  [/^3e11/, 'the host name of the portal cannot be resolved'],
  [/^3c0920/, 'this build of iPXE lacks the protocol that the volume is reached by'],
  [/^3c2020/, 'the web server answers no byte ranges, which an ISO image is read by'],
];

/** A sentence from what the machine said. The parts come from the network, so only their known forms are repeated. */
export function describeBootFailure({ errno = '', drive = '' }: BootReport): string {
  const code = /^(?:0x)?([0-9a-f]{7,8})$/i.exec(errno)?.[1]?.toLowerCase().padStart(8, '0');
  const cause = code === undefined ? undefined : causes.find(([pattern]) => pattern.test(code))?.[1];
  const why = cause === undefined ? '' : `: ${cause}`;
  const where = code === undefined ? '' : ` (iPXE error ${code}, https://ipxe.org/${code})`;
  const [what, check] = failedPart(drive.toLowerCase());
  return `The machine could not ${what}${why}${where}. Check ${check}; the machine tries again by itself.`;
}

/** Only volumes have a drive number. @returns what failed, and what to check. */
function failedPart(drive: string): readonly [what: string, check: string] {
  if (!/^0x8[0-9a-f]$/.test(drive)) {
    return [
      'load what it boots',
      'that it reaches the boot files of the conductor, and what instance_info of the node names',
    ];
  }
  const volume = drive === '0x80' ? 'the boot volume' : `the volume at drive ${drive}`;
  return [`boot from ${volume}`, "the volume target's portal, name, LUN and credentials"];
}
