import assert from 'node:assert/strict';
import { it } from 'vitest';
import type { TestRunner } from '../src/power.ts';
import { collectResults, failuresIn } from './collect-results.ts';

/** A driver with one fault, and the test that has to find it. */
export interface Mutant<Harness> {
  /** What the driver does wrong; completes "finds a driver that …". */
  readonly fault: string;
  readonly failsIn: string;
  readonly harness: Harness;
}

/** Registers one test for each mutant: the suite has to fail in the named test. */
export function itFindsMutants<Harness>(
  describeDriver: (runner: TestRunner, harness: Harness) => void,
  mutants: readonly Mutant<Harness>[],
): void {
  it.each(mutants)('finds a driver that $fault', async ({ failsIn, harness }) => {
    const results = await collectResults((runner) => describeDriver(runner, harness));
    assert.ok(results.has(failsIn), `there is no test "${failsIn}" but ${[...results.keys()].join('\n')}`);
    const failures = failuresIn(results);
    assert.ok(failures.includes(failsIn), `"${failsIn}" passed; failed were: ${failures.join('\n') || 'none'}`);
  });
}
