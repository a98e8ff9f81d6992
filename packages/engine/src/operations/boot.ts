import { randomBytes } from 'node:crypto';
import {
  bootSituationOf,
  bootSourceOf,
  chooseBoot,
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
/** Note of what was found out about the instance's image when it was deployed: later starts need no image service. */
const imageKey = 'instance_image';

/** What the node boots from by its records. @throws as {@link chooseBoot}. */
export function bootChoiceOf(task: Task): BootChoice {
  return chooseBoot(bootSituationOf(task));
}

/**
 * Looks up the instance's image, where it is to be served. Changes nothing.
 * @throws UNSUPPORTED when the boot interface cannot say, and what it throws.
 */
export async function describeImage(task: Task, { servesImage }: BootChoice): Promise<InstanceImage | null> {
  if (!servesImage) return null;
  const { boot, names } = task.driver;
  if (boot.describeImage !== undefined) return await boot.describeImage(task.forInterface('boot'));
  throw new IronbarkError('UNSUPPORTED', `The boot interface ${names.boot} serves no images of instances.`);
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
  const image = await instanceImage(context, task, choice);
  const source = sourceOf(task, choice, await attachedVolumes(context, task), image);
  const artifacts = task.driver.boot.render(task, { source, reportUrl: await bootReportUrl(context, task, fence) });
  await observe(context.hooks.artifactsRendered, task, artifacts);
  if (image !== null) await noteImage(context, task, image, fence);
  await task.driver.boot.apply(task, artifacts);
  if (choice.volumeTarget !== null) await recordBootVolume(context, task, choice.volumeTarget.uuid, fence);
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

/** Firmware that cannot boot by HTTP boots the same loader by PXE, as the Bare Metal service does it. */
async function setHttpBoot(task: Task, url: string | null): Promise<void> {
  const { management } = task.driver;
  try {
    if (url !== null) await management.setHttpBootUrl?.(task, url);
    await management.setBootDevice(task, 'uefihttp', true);
  } catch (error) {
    if (!['INVALID_PARAMETER', 'UNSUPPORTED', 'BMC_UNSUPPORTED'].some((code) => isIronbarkError(error, code)))
      throw error;
    task.log.warn({ error: (error as Error).message }, 'the machine does not boot by HTTP; it is told to boot by PXE');
    await management.setBootDevice(task, 'pxe', true);
  }
}

/** Removes the boot configuration; boot reports of the machine are refused from now on. */
export async function cleanUpBoot(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  await task.driver.boot.cleanUp(task);
  const journal = createJournal(context, task.node.uuid, 'engine', fence);
  await journal.delete(imageKey);
  await journal.delete(tokenKey);
}

/** Of an active node what was noted counts: its image may be gone since, and its machine has to start all the same. */
async function instanceImage(context: EngineContext, task: Task, choice: BootChoice): Promise<InstanceImage | null> {
  if (!choice.servesImage) return null;
  const noted = task.node.provisionState === 'active' ? await notedImage(context, task) : null;
  return noted ?? (await describeImage(task, choice));
}

async function noteImage(context: EngineContext, task: Task, image: InstanceImage, fence: Fence): Promise<void> {
  await createJournal(context, task.node.uuid, 'engine', fence).put(imageKey, image as unknown as Info);
}

async function notedImage(context: EngineContext, { node }: Task): Promise<InstanceImage | null> {
  const value = await createJournal(context, node.uuid, 'engine').get(imageKey);
  return isInfo(value) ? (value as unknown as InstanceImage) : null;
}

/** Clients of the Bare Metal API look here to see that a node boots from a volume. */
async function recordBootVolume(
  context: EngineContext,
  { node }: Task,
  targetUuid: string,
  fence: Fence,
): Promise<void> {
  if (node.driverInternalInfo['boot_from_volume'] === targetUuid) return;
  await editInternalInfo(context, node.uuid, (current) => ({ ...current, boot_from_volume: targetUuid }), fence);
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
