import { describe, expect, it } from 'vitest';
import { kernelParameters } from '../src/index.ts';

describe('kernelParameters', () => {
  it('leaves parameters without blanks as they are', () => {
    expect(kernelParameters(['quiet', 'a=b', 'c=d=e'])).toEqual(['quiet', 'a=b', 'c=d=e']);
  });

  it('quotes a value with blanks', () => {
    expect(kernelParameters(['a=b c', 'root.x-y=d e f'])).toEqual(['a="b c"', 'root.x-y="d e f"']);
  });

  it.each([
    ['a double quote, which the kernel cannot escape', 'a=b"c', 'kernel parameter a'],
    ['a blank outside of a value', 'a b=c', 'kernel parameter'],
    ['two blanks, which iPXE would join', 'a=b  c', 'kernel parameter a'],
    ['a line break', 'a=b\nshell', 'kernel parameter a'],
    ['a separator between the words of a value', 'a=b || reboot', 'kernel parameter a'],
    ['a setting', 'a=${password}', 'kernel parameter a'],
    ['nothing', '', 'kernel parameter'],
    ['an option of the kernel command', '--name=x', 'kernel parameter'],
  ])('refuses %s by name', (_, parameter, name) => {
    expect(() => kernelParameters([parameter])).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
    expect(() => kernelParameters([parameter])).toThrow(`The ${name} `);
  });

  it('refuses more than the kernel reads', () => {
    const parameters = Array.from({ length: 4 }, () => 'a'.repeat(512));
    expect(() => kernelParameters(parameters)).toThrow('longer than 2047 bytes');
    expect(kernelParameters(parameters.slice(1))).toHaveLength(3);
  });
});
