import type { Info } from '../info.ts';
import type { Timestamp } from '../timestamp.ts';
import type { InterfaceKind } from '../driver/kinds.ts';
import type { BootMode, PowerState, PowerTarget, ProvisionState } from './states.ts';

/** A machine and its record. Field names are the API's in camel case; free-form objects keep their keys. */
export interface Node {
  readonly uuid: string;
  readonly name: string | null;
  readonly driver: string;
  readonly driverInfo: Info;
  readonly driverInternalInfo: Info;
  readonly instanceInfo: Info;
  readonly instanceUuid: string | null;
  readonly properties: Info;
  readonly extra: Info;
  /** Chosen interface per kind; null until the hardware type's default was resolved. */
  readonly interfaces: Readonly<Record<InterfaceKind, string>>;
  readonly powerState: PowerState | null;
  readonly targetPowerState: PowerTarget | null;
  readonly provisionState: ProvisionState;
  /** The stable state that a transition leads to; null in stable states. */
  readonly targetProvisionState: ProvisionState | null;
  readonly provisionUpdatedAt: Timestamp | null;
  readonly lastError: string | null;
  readonly maintenance: boolean;
  readonly maintenanceReason: string | null;
  readonly fault: string | null;
  readonly bootMode: BootMode | null;
  readonly secureBoot: boolean | null;
  readonly resourceClass: string | null;
  readonly chassisUuid: string | null;
  readonly conductorGroup: string;
  readonly owner: string | null;
  readonly lessee: string | null;
  readonly description: string | null;
  readonly protected: boolean;
  readonly protectedReason: string | null;
  readonly retired: boolean;
  readonly retiredReason: string | null;
  readonly automatedClean: boolean | null;
  readonly networkData: Info;
  readonly traits: readonly string[];
  /** Host name of the conductor that holds the node's lock; null when the node is free. */
  readonly reservation: string | null;
  /** Host name of the conductor that is responsible for the node. */
  readonly conductor: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp | null;
}
