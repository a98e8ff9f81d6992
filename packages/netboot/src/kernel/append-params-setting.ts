import { explain } from '@ironbark/core';
import { z } from 'zod';
import { parseKernelParameters, type ParameterCheck } from './append-params.ts';

/** Schema of the setting `kernel_append_params` of a boot driver. @param check of the driver's format. */
export function appendParamsSetting(check: ParameterCheck) {
  return z
    .string()
    .default('nofb vga=normal')
    .transform((text, context) => {
      try {
        const parameters = parseKernelParameters(text, 'setting');
        check(parameters, 'setting');
        return parameters;
      } catch (error) {
        context.addIssue({ code: 'custom', message: explain(error) });
        return z.NEVER;
      }
    })
    .describe('Parameters for every kernel that is served, separated by blanks. Nodes may have their own.');
}
