import assert from 'node:assert/strict';
import type { InterfaceTypes, Task } from '@ironbark/core';
import { MemoryJournal } from '../fakes/memory-journal.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';
import type { NodeRecords } from '../fakes/records.ts';
import { createDriver, createTask } from '../fakes/task.ts';
import type { Fixture, Harness } from './harness.ts';
import { assertHidden, secretsIn } from './secrecy.ts';

/** A fixture with the tasks of one test: each node keeps its journal, all share a log. */
export class Bench<Kind extends keyof InterfaceTypes, Fault, Made extends Fixture<Kind, Fault>> {
  readonly fixture: Made;
  readonly log = new RecordingLogger();
  readonly #kind: Kind;
  readonly #journals = new Map<string, MemoryJournal>();
  readonly #onPut: (key: string) => void;

  constructor(kind: Kind, fixture: Made, onPut: (key: string) => void = () => {}) {
    this.#kind = kind;
    this.fixture = fixture;
    this.#onPut = onPut;
  }

  get driver(): InterfaceTypes[Kind] {
    return this.fixture.driver;
  }

  get secrets(): readonly string[] {
    return secretsIn(this.fixture.records);
  }

  records(index = 0): NodeRecords {
    const records = this.fixture.records[index];
    assert.ok(records !== undefined, `the harness returned ${this.fixture.records.length} records, not ${index + 1}`);
    return records;
  }

  journal({ node }: NodeRecords): MemoryJournal {
    const known = this.#journals.get(node.uuid);
    if (known !== undefined) return known;
    const journal = new MemoryJournal(this.#onPut);
    this.#journals.set(node.uuid, journal);
    return journal;
  }

  task(records: NodeRecords = this.records(), overrides: Partial<Task> = {}): Task {
    return createTask({
      ...records,
      driver: createDriver({ [this.#kind]: this.driver }),
      log: this.log,
      journal: this.journal(records),
      ...overrides,
    });
  }

  async inject(fault: Fault, records: NodeRecords = this.records()): Promise<NodeRecords> {
    assert.ok(this.fixture.inject !== undefined, 'the harness names faults, but its fixture has no inject()');
    return await this.fixture.inject(fault, records);
  }
}

/** Runs a test on a fresh bench and clears up after it. Whatever the test was about, the log must not show a secret. */
export async function withBench<
  Kind extends keyof InterfaceTypes,
  Options,
  Fault,
  FaultName extends string,
  Made extends Fixture<Kind, Fault>,
>(
  kind: Kind,
  harness: Harness<Options, Made, FaultName>,
  options: Options,
  body: (bench: Bench<Kind, Fault, Made>) => Promise<void>,
  onPut?: (key: string) => void,
): Promise<void> {
  const fixture = await harness.create(options);
  try {
    const bench = new Bench<Kind, Fault, Made>(kind, fixture, onPut);
    await body(bench);
    assertHidden('the log', bench.log.lines, bench.secrets);
  } finally {
    await fixture.dispose?.();
  }
}
