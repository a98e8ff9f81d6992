import { isIronbarkError } from '@ironbark/core';

/** `findings`: the command did its work, and found something that is left to do. */
export const exitCodes = { success: 0, failure: 1, usage: 2, findings: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What the operator solves on the command line or in the configuration. */
const usageErrors = ['CONFIG_INVALID', 'INVALID_PARAMETER', 'DRIVER_NOT_FOUND', 'PLUGIN_DRIVER_CONFLICT'];

export function exitCodeOf(error: unknown): ExitCode {
  return isIronbarkError(error) && usageErrors.includes(error.code) ? exitCodes.usage : exitCodes.failure;
}
