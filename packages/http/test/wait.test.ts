import { setImmediate } from 'node:timers/promises';
import { IronbarkError } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { poll, unlessAborted } from '../src/index.ts';

describe('work that callers share', () => {
  it('goes on for the others when one of them gives up', async () => {
    const work = Promise.withResolvers<string>();
    const impatient = new AbortController();
    const first = unlessAborted(work.promise, impatient.signal, 'login');
    const second = unlessAborted(work.promise, new AbortController().signal, 'login');
    const reason = new IronbarkError('OPERATION_TIMEOUT', 'Out of time.');
    impatient.abort(reason);
    await expect(first).rejects.toBe(reason);
    work.resolve('done');
    await expect(second).resolves.toBe('done');
  });

  it('is not waited for by a caller that gave up before', async () => {
    const { promise } = Promise.withResolvers<never>();
    const error = { code: 'OPERATION_ABORTED', message: 'login: stopped before it was done.' };
    await expect(unlessAborted(promise, AbortSignal.abort(), 'login')).rejects.toMatchObject(error);
  });

  it('does not end the process when it fails after all callers gave up', async () => {
    const work = Promise.withResolvers<never>();
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    await expect(unlessAborted(work.promise, AbortSignal.abort(), 'login')).rejects.toThrow('stopped');
    work.reject(new Error('no'));
    await setImmediate();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('fails for all of them', async () => {
    const work = Promise.reject(new Error('no'));
    const { signal } = new AbortController();
    await expect(unlessAborted(work, signal, 'login')).rejects.toThrow('no');
    await expect(unlessAborted(work, signal, 'login')).rejects.toThrow('no');
  });
});

describe('polling', () => {
  const options = { intervalMs: 1, signal: new AbortController().signal, where: 'test' };

  it('ends with the first result', async () => {
    let looks = 0;
    const look = async () => ((looks += 1) === 3 ? 'found' : undefined);
    expect(await poll(look, { ...options, timeoutMs: 10_000 })).toBe('found');
    expect(looks).toBe(3);
  });

  it('looks at least once', async () => {
    expect(await poll(async () => 'found', { ...options, timeoutMs: 0 })).toBe('found');
  });

  it('gives up when the time is up', async () => {
    expect(await poll(async () => undefined, { ...options, timeoutMs: 5 })).toBeUndefined();
  });
});
