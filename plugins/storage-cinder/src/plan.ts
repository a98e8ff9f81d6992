import {
  invalidParameter,
  type AttachedVolume,
  type PlannedCall,
  type StoragePlan,
  type Task,
  type VolumeTarget,
} from '@ironbark/core';
import type { Volume } from '@ironbark/openstack';
import { parseConnection } from './connection.ts';
import { connectorOf } from './connector.ts';
import { checkVolumes, type CheckedVolume } from './dry-check.ts';
import { metadataKeyPrefix } from './metadata.ts';
import { ownerOf } from './owner.ts';
import type { AttachmentProtocol, CinderContext } from './protocol.ts';
import { chooseProtocol, protocolNamed, protocolOf } from './protocols.ts';
import type { Holding } from './survey.ts';
import { checkTargets } from './validation.ts';

/**
 * What attaching the volumes of a node would ask Cinder for, in the order of the calls, and the connections of those that are attached
 * already. Changes nothing.
 * @throws INVALID_PARAMETER when attaching would fail.
 */
export async function planVolumes(context: CinderContext, task: Task): Promise<StoragePlan> {
  if (task.volumeTargets.length === 0) return { calls: [], volumes: [], warnings: [] };
  checkTargets(task.volumeTargets);
  connectorOf(task);
  const { volumes, problems, warnings } = await checkVolumes(context, task);
  if (problems.length > 0) throw invalidParameter(problems.join(' '));
  const plans = await Promise.all(volumes.map((volume) => planVolume(context, task, volume)));
  return {
    calls: [
      ...plans.flatMap(({ before }) => before),
      ...plans.flatMap(({ complete }) => complete ?? []),
      ...plans.flatMap(({ after }) => after),
    ],
    volumes: plans.flatMap(({ attached }) => attached ?? []),
    warnings,
  };
}

interface VolumePlan {
  /** Asked of all volumes at once. */
  readonly before: readonly PlannedCall[];
  /** Asked of one volume after the other. */
  readonly complete?: PlannedCall;
  readonly after: readonly PlannedCall[];
  readonly attached?: AttachedVolume;
}

async function planVolume(context: CinderContext, task: Task, checked: CheckedVolume): Promise<VolumePlan> {
  const { target, note, survey } = checked;
  const { volumeId } = target;
  const owner = ownerOf(task.node);
  const best = survey?.own.at(-1);
  const look = call(`GET /volumes/${volumeId}${survey?.volume ? `: ${factsOf(survey.volume)}` : ''}`);
  if (best?.stage === 'attached') {
    const protocol = await protocolOf(context, task, best, note);
    const known = protocol.name === 'attachments' ? await adopted(context, task, target, best) : {};
    return { before: [look, readCall(protocol, volumeId, best)], after: [], ...known };
  }
  const protocol = survey === undefined ? presumedProtocol(context) : await chooseProtocol(context, task.signal);
  const { connect, complete } = protocol.plan(volumeId, owner);
  const mark = call(`POST /volumes/${volumeId}/metadata: ${metadataKeyPrefix}${owner.nodeUuid}`);
  return { before: [look, ...connect], complete, after: [mark] };
}

/** Attachments remember the connection; volume actions have to export the volume anew to tell it, which a dry run does not. */
async function adopted(
  { service }: CinderContext,
  { signal }: Task,
  target: VolumeTarget,
  { attachmentId }: Holding,
): Promise<Pick<VolumePlan, 'attached'>> {
  const info = attachmentId === null ? undefined : (await service.findAttachment(attachmentId, signal))?.connection;
  return info ? { attached: { target, connection: parseConnection(target, info) } } : {};
}

function readCall({ name }: AttachmentProtocol, volumeId: string, { attachmentId }: Holding): PlannedCall {
  const what = `read the connection of volume ${volumeId}, which is attached to the node already`;
  if (name === 'attachments') return call(`GET /attachments/${attachmentId}: ${what}`);
  return call(`POST /volumes/${volumeId}/action: os-initialize_connection, to ${what}`);
}

/** What to plan with while the service cannot say what it offers. */
function presumedProtocol(context: CinderContext): AttachmentProtocol {
  const { attachmentApi } = context.options;
  return protocolNamed(context, attachmentApi === 'auto' ? 'attachments' : attachmentApi);
}

function factsOf({ sizeGib, status, bootable, multiattach }: Volume): string {
  return [`${sizeGib} GiB`, status, ...(bootable ? ['bootable'] : []), ...(multiattach ? ['multiattach'] : [])].join(
    ', ',
  );
}

function call(action: string): PlannedCall {
  return { target: 'cinder', action };
}
