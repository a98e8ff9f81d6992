import { invalidParameter, secretText, SecretText, type IronbarkError } from '@ironbark/core';
import { checkKernelParameters, parameterField, revealed, type KernelParameter } from '../kernel/kernel-parameter.ts';

/**
 * Writes one argument of a GRUB command. Between single quotes GRUB takes everything literally; it has no escape for the quote itself.
 * @throws INVALID_PARAMETER naming the field, never quoting the value.
 */
export function grubArgument(text: string, field: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(text)) throw inexpressible(field, 'holds a control character or a line break');
  if (text.includes("'")) throw inexpressible(field, 'holds a single quote');
  return `'${text}'`;
}

/**
 * Writes kernel parameters as arguments of GRUB's `linux` command. GRUB joins them with blanks, puts double quotes around one that
 * holds a blank, as the kernel wants it, and writes a backslash before quotes and backslashes, which the kernel does not take off.
 * @param reservedBytes what else GRUB and the command put on the line.
 * @param where names in errors where the parameters come from.
 * @throws INVALID_PARAMETER naming the parameter, never quoting its value.
 */
export function grubKernelArguments(
  parameters: readonly KernelParameter[],
  reservedBytes = 0,
  where?: string,
): readonly SecretText[] {
  return checkKernelParameters(parameters, reservedBytes, where).map((parameter) => {
    if (revealed(parameter).includes('\\')) throw inexpressible(parameterField(parameter, where), 'holds a backslash');
    return SecretText.join([secretText`'`, parameter, secretText`'`], '');
  });
}

/** @param problem continues "The <field> …"; must not quote a secret. */
export function inexpressible(field: string, problem: string): IronbarkError {
  return invalidParameter(`The ${field} cannot be written into a GRUB configuration: it ${problem}.`, {
    hint: 'Choose a value without what is named here.',
  });
}
