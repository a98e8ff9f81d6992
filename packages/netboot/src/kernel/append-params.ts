import { invalidParameter, type InfoValue, type Node } from '@ironbark/core';
import { checkKernelParameters } from './kernel-parameter.ts';

const key = 'kernel_append_params';
const argumentsKey = 'ramdisk_kernel_arguments';
/** Stands for the parameters of the settings. */
const placeholder = '%default%';

/**
 * Refuses parameters that a boot loader's configuration cannot carry.
 * @param where names the text that they are from.
 */
export type ParameterCheck = (parameters: readonly string[], where: string) => void;

/**
 * Splits kernel parameters that are written as one text, as on a kernel command line: at blanks outside of double quotes, which are
 * taken off.
 * @param where names the text in errors.
 * @throws INVALID_PARAMETER when the quotes do not match or a parameter cannot be passed to the kernel.
 */
export function parseKernelParameters(text: string, where: string): readonly string[] {
  const quotations = text.match(/"[^"]*"/g) ?? [];
  if (quotations.some((quoted) => /[^\S ]/.test(quoted))) {
    throw invalidParameter(`The ${where} holds a tab or a line break between double quotes.`, {
      hint: 'Separate the words of a value by single blanks.',
    });
  }
  const unquoted = text.replaceAll(/"[^"]*"/g, (quoted) => quoted.slice(1, -1).replaceAll(' ', '\0'));
  if (unquoted.includes('"')) {
    throw invalidParameter(`The ${where} has a double quote without its counterpart.`, {
      hint: 'Write a value with blanks as name="a value".',
    });
  }
  if (text.includes('\0')) throw invalidParameter(`The ${where} holds a NUL character.`);
  const parameters = unquoted.split(/\s+/).filter((parameter) => parameter !== '');
  return checkKernelParameters(
    parameters.map((parameter) => parameter.replaceAll('\0', ' ')),
    0,
    where,
  );
}

/**
 * The parameters that a node's kernel gets beside those of what it boots: of `instance_info.kernel_append_params`, else of
 * `driver_info.kernel_append_params`, else the settings' own, which `%default%` stands for in the other two.
 * @throws INVALID_PARAMETER naming the record and the field.
 */
export function appendParams(
  node: Pick<Node, 'uuid' | 'driverInfo' | 'instanceInfo'>,
  defaults: readonly string[],
  check: ParameterCheck = () => {},
): readonly string[] {
  const records = [
    ['instance_info', node.instanceInfo[key]],
    ['driver_info', node.driverInfo[key]],
  ] as const;
  const [record, value] = records.find(([, given]) => given !== undefined && given !== null) ?? [];
  if (record === undefined || value === undefined || value === null) return defaults;
  const field = fieldOf(record, key, node);
  const [first = '', ...rest] = textOf(value, field).split(placeholder);
  const parse = (part: string) => parseChecked(part, field, check);
  return [...parse(first), ...rest.flatMap((part) => defaults.concat(parse(part)))];
}

/**
 * The parameters of `instance_info.ramdisk_kernel_arguments`, which a ramdisk gets that is all the machine runs.
 * @throws INVALID_PARAMETER naming the record and the field.
 */
export function ramdiskArguments(
  node: Pick<Node, 'uuid' | 'instanceInfo'>,
  check: ParameterCheck = () => {},
): readonly string[] {
  const value = node.instanceInfo[argumentsKey];
  if (value === undefined || value === null) return [];
  const field = fieldOf('instance_info', argumentsKey, node);
  return parseChecked(textOf(value, field), field, check);
}

function parseChecked(text: string, field: string, check: ParameterCheck): readonly string[] {
  const parameters = parseKernelParameters(text, field);
  check(parameters, field);
  return parameters;
}

function fieldOf(record: string, name: string, { uuid }: Pick<Node, 'uuid'>): string {
  return `${record}.${name} of node ${uuid}`;
}

function textOf(value: InfoValue, field: string): string {
  if (typeof value === 'string') return value;
  throw invalidParameter(`The ${field} is not text.`, { hint: 'Write the parameters separated by blanks.' });
}
