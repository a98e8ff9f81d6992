import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { explain, isIronbarkError, type IronbarkError } from '@ironbark/core';
import { assertHidden } from './secrecy.ts';

/** A call that takes longer than this is hanging. It stays below the usual time limit of test runners, so that the failure has a name. */
const patienceMs = 4000;

/** The call's result; fails when it does not settle. */
export async function settled<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new assert.AssertionError({ message: `${what} did not return within ${patienceMs} ms` }));
    }, patienceMs);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}

async function failureOf(what: string, promise: Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await settled(what, promise);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return error;
  }
  return assert.fail(`${what} succeeded with ${inspect(result)}; it has to fail`);
}

/** Fails unless the call fails with an Ironbark error whose code matches and that shows none of the secrets. */
export async function rejected(
  what: string,
  promise: Promise<unknown>,
  code: RegExp,
  secrets: readonly string[],
): Promise<IronbarkError> {
  const error = await failureOf(what, promise);
  return assertError(what, error, code, secrets);
}

/** As {@link rejected}, for a call that is not asynchronous. */
export function thrown(what: string, call: () => unknown, code: RegExp, secrets: readonly string[]): IronbarkError {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return assertError(what, error, code, secrets);
  }
  return assert.fail(`${what} gave ${inspect(result)}; it has to fail`);
}

function assertError(what: string, error: unknown, code: RegExp, secrets: readonly string[]): IronbarkError {
  assertHidden(`the error of ${what}`, error, secrets);
  assert.ok(isIronbarkError(error), `${what} failed with ${inspect(error)}, which is no IronbarkError`);
  assert.match(error.code, code, `${what} failed with ${error.code}: ${error.message}`);
  assert.ok(explain(error).trim().length > 0, `the error of ${what} says nothing`);
  return error;
}

/** Fails unless the call ends with the reason of its signal (or the AbortError that Node's own functions make of it). */
export async function rejectedByAbort(what: string, promise: Promise<unknown>, reason: unknown): Promise<void> {
  const error = await failureOf(what, promise);
  const isAbort =
    error === reason ||
    isIronbarkError(error, 'OPERATION_ABORTED') ||
    (error instanceof Error && error.name === 'AbortError');
  assert.ok(isAbort, `${what} was aborted and failed with something else: ${inspect(error)}`);
}
