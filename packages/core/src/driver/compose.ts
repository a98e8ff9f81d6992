import { invalidParameter, IronbarkError } from '../errors.ts';
import type { Driver, HardwareType } from './driver.ts';
import type { InterfaceTypes } from './interfaces.ts';
import { interfaceKinds, type InterfaceKind } from './kinds.ts';

/** Drivers that are enabled on this conductor: what composition chooses from. */
export interface DriverRegistry {
  readonly hardwareTypes: ReadonlyMap<string, HardwareType>;
  readonly interfaces: { readonly [Kind in InterfaceKind]: ReadonlyMap<string, InterfaceTypes[Kind]> };
  /** Default interface per kind from the configuration, used when the hardware type supports it. */
  readonly defaults: Partial<Readonly<Record<InterfaceKind, string>>>;
}

const genericKinds: readonly InterfaceKind[] = ['boot', 'storage', 'deploy', 'network'];

/** Names of the enabled interfaces of one kind that fit a hardware type, the preferred first. */
export function supportedInterfaces(
  registry: DriverRegistry,
  hardwareType: HardwareType,
  kind: InterfaceKind,
): readonly string[] {
  const enabled = registry.interfaces[kind];
  const preferred = (hardwareType.interfaces[kind] ?? []).filter((name) => enabled.has(name));
  const acceptsAny =
    hardwareType.interfaces[kind] === undefined || (hardwareType.acceptsAny ?? genericKinds).includes(kind);
  if (!acceptsAny) return preferred;
  return [...preferred, ...[...enabled.keys()].filter((name) => !preferred.includes(name))];
}

export function hardwareTypeOf(registry: DriverRegistry, name: string): HardwareType {
  const hardwareType = registry.hardwareTypes.get(name);
  if (hardwareType !== undefined) return hardwareType;
  throw new IronbarkError(
    'INVALID_PARAMETER',
    `No valid host was found. Reason: No conductor service registered which supports driver ${name}.`,
    {
      status: 404,
      hint: `Enabled hardware types: ${[...registry.hardwareTypes.keys()].join(', ') || 'none'}.`,
    },
  );
}

/** The default of a kind: the configured one where the type supports it, else the type's first choice; undefined when none is enabled. */
export function defaultInterface(
  registry: DriverRegistry,
  hardwareType: HardwareType,
  kind: InterfaceKind,
): string | undefined {
  const supported = supportedInterfaces(registry, hardwareType, kind);
  const configured = registry.defaults[kind];
  return configured !== undefined && supported.includes(configured) ? configured : supported[0];
}

/**
 * Chooses an interface for every kind: the node's own field, else the configured default, else the hardware type's preference.
 * @param chosen the node's fields; a missing or null field asks for the default.
 * @throws INVALID_PARAMETER when a chosen interface is not enabled or does not fit the type, naming those that do.
 */
export function resolveInterfaces(
  registry: DriverRegistry,
  driverName: string,
  chosen: Partial<Readonly<Record<InterfaceKind, string | null>>>,
): Record<InterfaceKind, string> {
  const hardwareType = hardwareTypeOf(registry, driverName);
  const resolve = (kind: InterfaceKind): string => {
    const supported = supportedInterfaces(registry, hardwareType, kind);
    const name = chosen[kind] ?? defaultInterface(registry, hardwareType, kind);
    if (name !== undefined && supported.includes(name)) return name;
    const problem =
      name === undefined
        ? `No ${kind} interface is enabled`
        : `The ${kind} interface ${JSON.stringify(name)} is not available`;
    throw invalidParameter(`${problem} for hardware type ${driverName}.`, {
      hint: `Available: ${supported.join(', ') || 'none; enable one in the configuration'}.`,
    });
  };
  return Object.fromEntries(interfaceKinds.map((kind) => [kind, resolve(kind)])) as Record<InterfaceKind, string>;
}

/** Composes the driver of a node from its hardware type and interface fields. @throws as {@link resolveInterfaces}. */
export function composeDriver(
  registry: DriverRegistry,
  node: { readonly driver: string; readonly interfaces: Partial<Record<InterfaceKind, string>> },
): Driver {
  const names = resolveInterfaces(registry, node.driver, node.interfaces);
  const parts = Object.fromEntries(interfaceKinds.map((kind) => [kind, registry.interfaces[kind].get(names[kind])]));
  return { ...(parts as unknown as InterfaceTypes), hardwareType: node.driver, names };
}
