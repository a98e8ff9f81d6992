import {
  invalidParameter,
  type AttachedVolume,
  type AttachmentFinding,
  type OnVolume,
  type StorageInterface,
  type StoragePlan,
  type Task,
  type VolumeAttachment,
} from '@ironbark/core';
import type { BlockStorage } from '@ironbark/openstack';
import { attachVolumes } from './attach.ts';
import { detachVolumes } from './detach.ts';
import { checkVolumes } from './dry-check.ts';
import { findOrphanedVolumes } from './orphans.ts';
import { planVolumes } from './plan.ts';
import type { AttachmentOptions, CinderContext } from './protocol.ts';
import { reconcileVolumes } from './reconcile.ts';
import { checkRecords, writesImage } from './validation.ts';

export interface CinderStorageOptions extends AttachmentOptions {
  readonly followsPower: boolean;
}

/** Volumes of Cinder, attached to machines that boot from them. */
export class CinderStorage implements StorageInterface {
  readonly capabilities = ['image_volumes'] as const;
  readonly followsPower: boolean;
  readonly #context: CinderContext;

  constructor(service: BlockStorage, options: CinderStorageOptions) {
    this.followsPower = options.followsPower;
    this.#context = { service, options };
  }

  /** Checks the records, then asks Cinder whether the volumes can be attached; that Cinder does not answer is only a warning. */
  async validate(task: Task): Promise<readonly string[]> {
    checkRecords(task);
    const { problems, warnings } = await checkVolumes(this.#context, task);
    if (problems.length > 0) throw invalidParameter(problems.join(' '));
    return warnings;
  }

  async attach(task: Task, onVolume: OnVolume = () => {}): Promise<readonly AttachedVolume[]> {
    return await attachVolumes(this.#context, task, onVolume);
  }

  async detach(task: Task, onVolume: OnVolume = () => {}): Promise<void> {
    await detachVolumes(this.#context, task, onVolume);
  }

  shouldWriteImage(task: Task): boolean {
    return writesImage(task);
  }

  async plan(task: Task): Promise<StoragePlan> {
    return await planVolumes(this.#context, task);
  }

  async reconcile(
    task: Task,
    expected: readonly VolumeAttachment[],
    repair: boolean,
  ): Promise<readonly AttachmentFinding[]> {
    return await reconcileVolumes(this.#context, task, expected, repair);
  }

  async findOrphans(
    isKnown: (nodeUuid: string) => boolean,
    signal: AbortSignal,
  ): Promise<readonly AttachmentFinding[]> {
    return await findOrphanedVolumes(this.#context.service, isKnown, signal);
  }
}
