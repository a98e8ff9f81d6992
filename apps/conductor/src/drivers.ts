import { interfaceKinds, type DriverKind } from '@ironbark/core';
import type { Config } from './config/load.ts';

const kinds: readonly DriverKind[] = ['hardware', ...interfaceKinds];

/** Ids of the drivers that the configuration enables, as the plugin loader takes them. */
export function enabledDrivers({ enabled }: Pick<Config, 'enabled'>): readonly string[] {
  return kinds.flatMap((kind) => enabled[kind].map((name) => `${kind}:${name}`));
}
