import { configJsonSchema } from '../config/schema.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { printJson } from './print.ts';

export function configSchemaCommand(): ExitCode {
  printJson(configJsonSchema());
  return exitCodes.success;
}
