import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { BcryptThread } from '../src/auth/bcrypt-thread.ts';

describe('a thread that compares passwords', () => {
  it('tells each caller the outcome of its own password', async () => {
    const thread = new BcryptThread();
    const hash = hashSync('right', 4);
    const passwords = ['wrong', 'right', 'wrong', 'right'];
    const outcomes = await Promise.all(passwords.map((password) => thread.compare(password, hash)));
    expect(outcomes).toEqual([false, true, false, true]);
  });

  it('is replaced when it has ended', async () => {
    const thread = new BcryptThread();
    await expect(thread.compare('right', undefined as never)).rejects.toThrow('Illegal arguments');
    expect(await thread.compare('right', hashSync('right', 4))).toBe(true);
  });
});
