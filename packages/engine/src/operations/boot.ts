import { randomBytes } from 'node:crypto';
import {
  bootSituationOf,
  bootSourceOf,
  checkServedImage,
  chooseBoot,
  explain,
  initiatorOf,
  IronbarkError,
  isInfo,
  isIronbarkError,
  isSecret,
  Secret,
  type AttachedVolume,
  type BootChoice,
  type BootReportUrl,
  type BootSource,
  type Info,
  type InstanceImage,
  type Task,
} from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { observe } from '../hook-call.ts';
import { editInternalInfo } from '../internal-info.ts';
import { createJournal } from '../task.ts';
import { attachedVolumes } from './volumes.ts';

const tokenKey = 'boot_report_token';
/** Note of the kind of boot that the instance was deployed with. */
const kindKey = 'boot_kind';
/** Note of what was found out about the instance's image when it was deployed: later starts need no image service. */
const imageKey = 'instance_image';

/** What the node boots from by its records. @throws as {@link chooseBoot}. */
export function bootChoiceOf(task: Task): BootChoice {
  return chooseBoot(bootSituationOf(task));
}

/** @throws UNSUPPORTED when the choice serves an image and the boot interface cannot say which. */
export function checkServesImage(task: Task, { servesImage }: BootChoice): void {
  const { boot, names } = task.driver;
  if (!servesImage || boot.describeImage !== undefined) return;
  throw new IronbarkError(
    'UNSUPPORTED',
    `Node ${task.node.uuid} needs a kernel, a ramdisk or an ISO image, and its boot interface ${names.boot} serves none.`,
    { hint: `Choose another one, for example: openstack baremetal node set --boot-interface ipxe ${task.node.uuid}.` },
  );
}

/**
 * Looks up the instance's image, where it is to be served. Changes nothing.
 * @throws as {@link checkServesImage}, core's `checkServedImage` and the boot interface.
 */
export async function describeImage(task: Task, choice: BootChoice): Promise<InstanceImage | null> {
  if (!choice.servesImage) return null;
  checkServesImage(task, choice);
  const image = (await task.driver.boot.describeImage?.(task.forInterface('boot'))) ?? null;
  checkServedImage(choice, { node: task.node, image });
  return image;
}

/** Puts the boot source together. @throws as core's `bootSourceOf`. */
export function sourceOf(
  task: Task,
  choice: BootChoice,
  volumes: readonly AttachedVolume[],
  image: InstanceImage | null,
): BootSource {
  return bootSourceOf(choice, { node: task.node, initiator: initiatorOf(task.volumeConnectors), volumes, image });
}

/** Renders the boot configuration from the connections as they are now and puts it in place. Safe to repeat. */
export async function prepareBoot(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const choice = bootChoiceOf(task);
  await checkDeployedKind(context, task, choice);
  const image = await instanceImage(context, task, choice);
  const source = sourceOf(task, choice, await attachedVolumes(context, task), image);
  const artifacts = task.driver.boot.render(task, { source, reportUrl: await bootReportUrl(context, task, fence) });
  await observe(context.hooks.artifactsRendered, task, artifacts);
  const journal = createJournal(context, task.node.uuid, 'engine', fence);
  if ((await journal.get(kindKey)) !== choice.kind) await journal.put(kindKey, choice.kind);
  if (image !== null) await journal.put(imageKey, image as unknown as Info);
  await task.driver.boot.apply(task, artifacts);
  await recordBootVolume(context, task, choice.volumeTarget?.uuid ?? null, fence);
}

/** Tells the machine to boot, from now on, from what the boot configuration serves. */
export async function setBootDevice(context: EngineContext, task: Task): Promise<void> {
  const choice = bootChoiceOf(task);
  const image = choice.servesImage ? ((await notedImage(context, task)) ?? (await describeImage(task, choice))) : null;
  const source = sourceOf(task, choice, await attachedVolumes(context, task), image);
  const { bootDevice, httpBootUrl } = task.driver.boot.render(task, { source, reportUrl: null });
  if (bootDevice === null) return;
  if (bootDevice === 'uefihttp') await setHttpBoot(task, httpBootUrl ?? null);
  else await task.driver.management.setBootDevice(task, bootDevice, true);
}

/**
 * A machine that takes no URL from its BMC gets it by DHCP. Firmware that cannot boot by HTTP boots the same loader by PXE, as the Bare
 * Metal service does it.
 */
async function setHttpBoot(task: Task, url: string | null): Promise<void> {
  const { management, names } = task.driver;
  try {
    if (url !== null && management.setHttpBootUrl !== undefined) await management.setHttpBootUrl(task, url);
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    task.log.warn({ url, error: explain(error) }, 'the BMC takes no URL for HTTP boot; DHCP has to name it');
  }
  try {
    await management.setBootDevice(task, 'uefihttp', true);
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    const facts = { management: names.management, error: explain(error) };
    task.log.warn(facts, 'the machine does not boot by HTTP; it is told to boot by PXE');
    await management.setBootDevice(task, 'pxe', true);
  }
}

function isNotOffered(error: unknown): boolean {
  return ['INVALID_PARAMETER', 'UNSUPPORTED', 'BMC_UNSUPPORTED'].some((code) => isIronbarkError(error, code));
}

/** Removes the boot configuration; boot reports of the machine are refused from now on. */
export async function cleanUpBoot(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  await task.driver.boot.cleanUp(task);
  const journal = createJournal(context, task.node.uuid, 'engine', fence);
  for (const key of [kindKey, imageKey, tokenKey]) await journal.delete(key);
}

/**
 * An active node boots what it was deployed with: its disk, or its volume, may not hold what its records name since, and a power action
 * does not set the boot device.
 * @throws INVALID_STATE when its records have come to ask for something else.
 */
export async function checkDeployedKind(context: EngineContext, { node }: Task, { kind }: BootChoice): Promise<void> {
  if (node.provisionState !== 'active') return;
  const deployed = (await createJournal(context, node.uuid, 'engine').get(kindKey)) ?? kind;
  if (deployed === kind) return;
  throw new IronbarkError(
    'INVALID_STATE',
    `Node ${node.uuid} was deployed to boot from ${nameOf(deployed)}, and its records now ask for ${nameOf(kind)}.`,
    {
      hint: `Take back the change of its instance_info, capabilities or volume targets; or deploy it anew: openstack baremetal node rebuild ${node.uuid}.`,
    },
  );
}

const kindNames: Readonly<Record<BootChoice['kind'], string>> = {
  iscsi: 'an iSCSI volume',
  fibre_channel: 'a Fibre Channel volume',
  nfs: 'an NFS root',
  hba: 'a volume behind its host bus adapter',
  local_disk: 'its local disk',
  ramdisk: 'a ramdisk',
  iso: 'an ISO image',
};

function nameOf(kind: unknown): string {
  return (kindNames as Readonly<Record<string, string>>)[String(kind)] ?? String(kind);
}

/** Of an active node what was noted counts: its image may be gone since, and its machine has to start all the same. */
async function instanceImage(context: EngineContext, task: Task, choice: BootChoice): Promise<InstanceImage | null> {
  if (!choice.servesImage) return null;
  const noted = task.node.provisionState === 'active' ? await notedImage(context, task) : null;
  return noted ?? (await describeImage(task, choice));
}

async function notedImage(context: EngineContext, { node }: Task): Promise<InstanceImage | null> {
  const value = await createJournal(context, node.uuid, 'engine').get(imageKey);
  return isInfo(value) ? (value as unknown as InstanceImage) : null;
}

/** Clients of the Bare Metal API look here to see that a node boots from a volume. */
async function recordBootVolume(
  context: EngineContext,
  { node }: Task,
  targetUuid: string | null,
  fence: Fence,
): Promise<void> {
  if ((node.driverInternalInfo['boot_from_volume'] ?? null) === targetUuid) return;
  const edit = ({ boot_from_volume: _before, ...rest }: Info): Info => {
    return targetUuid === null ? rest : { ...rest, boot_from_volume: targetUuid };
  };
  await editInternalInfo(context, node.uuid, edit, fence);
}

/** The address where a machine reports; the token is made once per deployment, so that scripts stay the same until something changes. */
async function bootReportUrl(context: EngineContext, task: Task, fence: Fence): Promise<BootReportUrl | null> {
  const apiUrl = await context.apiUrl();
  if (apiUrl === null) return null;
  const known = await bootReportToken(context, task.node.uuid);
  const token = known ?? Secret.of(randomBytes(18).toString('base64url'));
  if (known === undefined) await createJournal(context, task.node.uuid, 'engine', fence).put(tokenKey, token);
  return { prefix: bootReportPrefix(apiUrl, task.node.uuid), token };
}

export function bootReportPrefix(apiUrl: string, nodeUuid: string): string {
  return `${apiUrl}/ironbark/v1/boot-report/${nodeUuid}?token=`;
}

export async function bootReportToken(context: EngineContext, nodeUuid: string): Promise<Secret | undefined> {
  const value = await createJournal(context, nodeUuid, 'engine').get(tokenKey);
  return isSecret(value) ? value : undefined;
}
