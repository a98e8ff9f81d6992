import type { Task, VolumeOutcome } from '@ironbark/core';
import { createNodeRecords, createTask, MemoryJournal, RecordingLogger } from '@ironbark/driver-testkit/fakes';
import type { NodeRecords } from '@ironbark/driver-testkit/fakes';
import { CinderStorage, type CinderStorageOptions } from '../../src/index.ts';
import { MemoryBlockStorage } from './memory-block-storage.ts';
import { quickOptions } from './options.ts';

/** A node with volumes in a Block Storage service in memory, and the driver between them. */
export class CinderBench {
  readonly service = new MemoryBlockStorage();
  readonly journal = new MemoryJournal();
  readonly log = new RecordingLogger();
  readonly outcomes: VolumeOutcome[] = [];
  readonly records: NodeRecords;
  readonly driver: CinderStorage;

  constructor(options: Partial<CinderStorageOptions> & { readonly volumes?: number; readonly number?: number } = {}) {
    const { volumes = 1, number = 0, ...driverOptions } = options;
    this.records = createNodeRecords({ volumes, number });
    for (const { volumeId } of this.records.volumeTargets) this.service.addVolume(volumeId);
    this.driver = new CinderStorage(this.service, { ...quickOptions, ...driverOptions });
  }

  get nodeUuid(): string {
    return this.records.node.uuid;
  }

  volumeId(index = 0): string {
    return this.records.volumeTargets[index]?.volumeId ?? '';
  }

  task(overrides: Partial<Task> = {}): Task {
    return createTask({ ...this.records, journal: this.journal, log: this.log, ...overrides });
  }

  /** A task on the node with these fields of its record. */
  nodeTask(node: Partial<Task['node']>, overrides: Partial<Task> = {}): Task {
    return this.task({ ...overrides, node: { ...this.records.node, ...node } });
  }

  attach(task = this.task()) {
    return this.driver.attach(task, (outcome) => this.outcomes.push(outcome));
  }

  detach(task = this.task()) {
    return this.driver.detach(task, (outcome) => this.outcomes.push(outcome));
  }

  /** Names of the calls since the last time, without the questions. */
  changes(): readonly string[] {
    const questions = ['getVolume', 'listAttachments', 'findAttachment', 'listVolumesMarked'];
    return this.service.calls.splice(0).flatMap(({ name }) => (questions.includes(name) ? [] : [name]));
  }
}
