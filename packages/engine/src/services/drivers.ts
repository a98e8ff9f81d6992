import {
  defaultInterface,
  interfaceKinds,
  notFound,
  supportedInterfaces,
  type HardwareType,
  type InterfaceKind,
  type PropertyDescriptions,
} from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import type { DriverDescription, DriverService } from '../engine.ts';

export function createDriverService(context: EngineContext): DriverService {
  const { registry, store } = context;
  const find = (name: string): HardwareType => {
    const hardwareType = registry.hardwareTypes.get(name);
    if (hardwareType === undefined) throw notFound('Driver', name);
    return hardwareType;
  };
  const describe = async (name: string): Promise<DriverDescription> => {
    const hardwareType = find(name);
    const conductors = await store.conductors.list(aliveWithinMs(context));
    const byKind = <Value>(value: (kind: InterfaceKind) => Value) =>
      Object.fromEntries(interfaceKinds.map((kind) => [kind, value(kind)])) as Record<InterfaceKind, Value>;
    return {
      name,
      hosts: conductors.filter(({ alive, drivers }) => alive && drivers.includes(name)).map(({ hostname }) => hostname),
      enabled: byKind((kind) => supportedInterfaces(registry, hardwareType, kind)),
      defaults: byKind((kind) => defaultInterface(registry, hardwareType, kind) ?? null),
    };
  };
  return {
    list: () => Promise.all([...registry.hardwareTypes.keys()].map(describe)),
    get: describe,
    async properties(name) {
      const hardwareType = find(name);
      const descriptions = interfaceKinds.flatMap((kind) =>
        supportedInterfaces(registry, hardwareType, kind).flatMap((one) =>
          Object.entries(registry.interfaces[kind].get(one)?.properties ?? {}),
        ),
      );
      return Object.fromEntries(descriptions) satisfies PropertyDescriptions;
    },
  };
}

/** A conductor that missed two of its signs of life is not counted on. */
export function aliveWithinMs(context: EngineContext): number {
  return context.lockLeaseMs;
}
