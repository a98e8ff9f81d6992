import { apiVersion } from '@ironbark/core';
import { conductorVersion } from '../version.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { print, printJson } from './print.ts';

export function version({ json }: { readonly json?: true }): ExitCode {
  const versions = { ironbark: conductorVersion(), pluginApi: apiVersion, node: process.versions.node };
  if (json) printJson(versions);
  else print(`ironbark ${versions.ironbark} (plugin API ${versions.pluginApi}, Node ${versions.node})`);
  return exitCodes.success;
}
