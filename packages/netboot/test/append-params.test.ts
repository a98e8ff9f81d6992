import type { Info } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { appendParams, parseKernelParameters, ramdiskArguments } from '../src/index.ts';

const defaults = ['nofb', 'vga=normal'];

function node(instanceInfo: Info = {}, driverInfo: Info = {}) {
  return { uuid: '6e7f', instanceInfo, driverInfo };
}

describe('kernel_append_params', () => {
  it.each([
    ['the settings', {}, {}, ['nofb', 'vga=normal']],
    ['the driver', {}, { kernel_append_params: 'a=1' }, ['a=1']],
    ['the instance before the driver', { kernel_append_params: 'b' }, { kernel_append_params: 'a' }, ['b']],
    ['nobody, when the instance wants none', { kernel_append_params: '' }, { kernel_append_params: 'a' }, []],
    [
      'the driver, when that of the instance is null',
      { kernel_append_params: null },
      { kernel_append_params: 'a' },
      ['a'],
    ],
    ['the settings and the instance', { kernel_append_params: 'a %default%  b' }, {}, ['a', 'nofb', 'vga=normal', 'b']],
  ])('are those of %s', (_, instanceInfo, driverInfo, expected) => {
    expect(appendParams(node(instanceInfo, driverInfo), defaults)).toEqual(expected);
  });

  it.each([
    ['a="b', 'has a double quote'],
    ['a=\u00e0', 'kernel parameter a of instance_info.kernel_append_params of node 6e7f'],
    [7, 'is not text'],
    [['a'], 'is not text'],
    ['a\0b', 'NUL'],
    ['a="b\tinit=/x"', 'tab or a line break'],
    ['a="b\ninit=/x"', 'tab or a line break'],
  ])('refuse %j by name', (value, message) => {
    const refuse = () => appendParams(node({ kernel_append_params: value }), defaults);
    expect(refuse).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
    expect(refuse).toThrow('instance_info.kernel_append_params of node 6e7f');
    expect(refuse).toThrow(message);
  });
});

describe('ramdisk_kernel_arguments', () => {
  it('are those of the instance', () => {
    expect(ramdiskArguments(node({ ramdisk_kernel_arguments: 'a b=c' }))).toEqual(['a', 'b=c']);
    expect(ramdiskArguments(node({}, { ramdisk_kernel_arguments: 'a' }))).toEqual([]);
  });

  it('are refused by name', () => {
    const refuse = () => ramdiskArguments(node({ ramdisk_kernel_arguments: "a='b" }));
    expect(refuse).toThrow('kernel parameter a of instance_info.ramdisk_kernel_arguments of node 6e7f');
  });
});

describe('a text of parameters', () => {
  it('is split at blanks outside of double quotes', () => {
    expect(parseKernelParameters(' a  b="c d"\t"e=f g"\nh', 'setting')).toEqual(['a', 'b=c d', 'e=f g', 'h']);
  });
});
