import type { InterfaceTypes } from './interfaces.ts';
import type { InterfaceKind } from './kinds.ts';

/** A node's driver: its hardware type and one interface of each kind. */
export interface Driver extends InterfaceTypes {
  readonly hardwareType: string;
  /** Name of the chosen interface per kind. */
  readonly names: Readonly<Record<InterfaceKind, string>>;
}

/** A kind of machine, and the interfaces that fit it. */
export interface HardwareType {
  /**
   * Supported interfaces per kind, the preferred first. A kind that is left out gets the generic interfaces that come with the
   * conductor (`noop`, `no-vendor`, `volume`).
   */
  readonly interfaces: Partial<Readonly<Record<InterfaceKind, readonly string[]>>>;
  /**
   * Kinds for which any enabled interface fits beside those named: storage, boot over the network and deploy do not depend on the
   * BMC. Default: `boot`, `storage`, `deploy`, `network`.
   */
  readonly acceptsAny?: readonly InterfaceKind[];
}
