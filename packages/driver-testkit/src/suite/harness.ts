import type { InterfaceTypes } from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';

/** The two functions of a test runner that the suites need; vitest, node:test, mocha and jest have them. */
export interface TestRunner {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: (title: string, body: () => Promise<void>) => unknown;
}

/** Records that the driver's `validate` has to refuse. */
export interface RefusedRecords {
  /** What is wrong; completes the title "refuses …". */
  readonly title: string;
  /** Text that the error has to contain: the name of the field. */
  readonly field: string;
  readonly change: (records: NodeRecords) => NodeRecords;
  /** Other interfaces of the node's driver, where the refusal depends on them. */
  readonly neighbours?: Partial<InterfaceTypes>;
}

/** A fresh driver on a clean backend, for one test. */
export interface Fixture<Kind extends keyof InterfaceTypes, Fault> {
  readonly driver: InterfaceTypes[Kind];
  /**
   * The records that the suite asked for, with what the driver needs to find the machines (addresses and credentials in
   * `driver_info`, say) added.
   */
  readonly records: readonly NodeRecords[];
  /**
   * Breaks something, for the named faults of the harness.
   * @returns the records of the node to go on with: the given ones, unless the fault is made by changing them.
   */
  inject?(fault: Fault, records: NodeRecords): NodeRecords | Promise<NodeRecords>;
  /** Called at the end of the test. */
  dispose?(): void | Promise<void>;
}

/** How a suite gets at a driver and at what stands behind it. */
export interface Harness<Options, Made, FaultName extends string> {
  /** Faults that the fixtures can inject. Tests of the others are left out. Default: none. */
  readonly faults?: readonly FaultName[];
  /** Records that `validate` has to refuse beside those that lack a required property. Default: none. */
  readonly refuses?: readonly RefusedRecords[];
  create(options: Options): Promise<Made> | Made;
}
