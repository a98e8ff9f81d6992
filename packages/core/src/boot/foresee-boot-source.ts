import type { Task } from '../driver/task.ts';
import { initiatorOf } from '../volume/initiator.ts';
import type { BootSource } from './boot-source.ts';
import { bootSituationOf } from './boot-situation.ts';
import { bootSourceOf, checkServedImage } from './boot-source-of.ts';
import { chooseBoot } from './choose-boot.ts';

/**
 * What the node boots from, as far as it can be told before its volumes are attached: a boot driver renders it in its `validate`, so that a
 * value that does not fit its format is refused in time. Changes nothing.
 * @returns null when the connection of the boot volume is known only after it was attached.
 * @throws as {@link chooseBoot}, {@link bootSourceOf}, and the `plan` and `describeImage` of the node's interfaces.
 */
export async function foreseeBootSource(task: Task): Promise<BootSource | null> {
  const choice = chooseBoot(bootSituationOf(task));
  const { volumeTarget, kind, servesImage } = choice;
  if (kind === 'hba' || kind === 'local_disk') return { kind };
  const { storage, boot } = task.driver;
  const image = servesImage ? ((await boot.describeImage?.(task.forInterface('boot'))) ?? null) : null;
  checkServedImage(choice, { node: task.node, image });
  const volumes = volumeTarget === null ? [] : (await storage.plan(task.forInterface('storage'))).volumes;
  if (volumeTarget !== null && !volumes.some(({ target }) => target.uuid === volumeTarget.uuid)) return null;
  return bootSourceOf(choice, { node: task.node, initiator: initiatorOf(task.volumeConnectors), volumes, image });
}
