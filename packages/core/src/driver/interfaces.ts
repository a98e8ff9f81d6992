import type { BootArtifacts, BootSource } from '../boot/boot-source.ts';
import type { InstanceImage } from '../image/instance-image.ts';
import type { BootDevice, BootMode, PowerState, PowerTarget } from '../model/states.ts';
import type { VolumeAttachment, VolumeTarget } from '../model/volume.ts';
import type { Secret } from '../secret.ts';
import type { VolumeConnection } from '../volume/connection.ts';
import type { CapabilityTag } from './capability-tags.ts';
import type { Task } from './task.ts';

/** A documented key of `driver_info` (or of another record, as the description says). */
export interface PropertyDescription {
  readonly description: string;
  /** Default: false. */
  readonly required?: boolean;
}

export type PropertyDescriptions = Readonly<Record<string, PropertyDescription>>;

/** What every driver interface has. */
export interface DriverInterface {
  /** Tags that neighbours ask for. Default: none. */
  readonly capabilities?: readonly CapabilityTag[];
  /** Keys of `driver_info` that the interface reads. Default: none. */
  readonly properties?: PropertyDescriptions;
  /**
   * Checks what the node's records say. Must not change anything, and must not need the machine to answer.
   * @returns what works but not as the records suggest, as sentences; nothing when there is nothing to say.
   * @throws INVALID_PARAMETER or MISSING_PARAMETER with the record, the field and what to change.
   */
  validate(task: Task): Promise<readonly string[] | void>;
}

export interface PowerInterface extends DriverInterface {
  /** Power actions beside on and off. Default: all of them. */
  readonly supportedTargets?: readonly PowerTarget[];
  getPowerState(task: Task): Promise<PowerState>;
  /**
   * Returns when the machine has reached the state. Safe to repeat: on when it is on does nothing.
   * @param timeoutMs how long a soft action waits for the operating system; also the bound for the others.
   * @throws POWER_STATE_FAILURE when the state was not reached in time; UNSUPPORTED for a target that is not declared.
   */
  setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void>;
}

export interface BootDeviceSetting {
  readonly bootDevice: BootDevice | null;
  readonly persistent: boolean | null;
}

export interface ManagementInterface extends DriverInterface {
  supportedBootDevices(task: Task): Promise<readonly BootDevice[]>;
  getBootDevice(task: Task): Promise<BootDeviceSetting>;
  /** Returns when the setting was read back. @throws INVALID_PARAMETER naming the supported devices for any other. */
  setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void>;
  /** Missing: the boot mode is left as it is and reported as unknown. */
  getBootMode?(task: Task): Promise<BootMode | null>;
  setBootMode?(task: Task, mode: BootMode): Promise<void>;
  /** Points UEFI HTTP boot at a URL. Missing: not supported. */
  setHttpBootUrl?(task: Task, url: string): Promise<void>;
  /** Whether UEFI Secure Boot is enforced; null when the machine cannot say. Missing: as null. */
  getSecureBoot?(task: Task): Promise<boolean | null>;
  /** The machine is off; the change counts from its next start. Missing: not supported. */
  setSecureBoot?(task: Task, enabled: boolean): Promise<void>;
}

/** What {@link BootInterface.render} works from: values only. */
export interface BootRequest {
  readonly source: BootSource;
  /** Where a machine says that it could not boot: an address with a token of its own; the reason is appended. Null: nowhere. */
  readonly reportUrl: BootReportUrl | null;
}

/** An address a machine can fetch without credentials, because it holds a secret token. */
export interface BootReportUrl {
  /** Ends where the token begins. */
  readonly prefix: string;
  readonly token: Secret;
}

export interface BootInterface extends DriverInterface {
  /**
   * Looks up what the instance asks to boot: in its records, and in the image service where they name an image. Asked for only when the
   * kernel, the ramdisk or the ISO image of the instance is to be served. Changes nothing. Missing: the driver serves none.
   * @throws MISSING_PARAMETER or INVALID_PARAMETER naming the record and what to change.
   */
  describeImage?(task: Task): Promise<InstanceImage>;
  /**
   * Computes what the machine needs to boot from the source. Pure: reads the task's records, touches nothing.
   * @throws INVALID_PARAMETER when a value cannot be expressed in the format, naming the field; UNSUPPORTED for a kind of source that
   *   the capabilities do not declare.
   */
  render(task: Task, request: BootRequest): BootArtifacts;
  /** Puts the artifacts where the machine will find them. Safe to repeat; replaces what an earlier call left. */
  apply(task: Task, artifacts: BootArtifacts): Promise<void>;
  /** Removes whatever {@link BootInterface.apply} left for this node. Safe to repeat. */
  cleanUp(task: Task): Promise<void>;
}

/** A target with the connection through which the machine reaches it. */
export interface AttachedVolume {
  readonly target: VolumeTarget;
  readonly connection: VolumeConnection;
}

/** A call that a storage driver would make, for the dry run. */
export interface PlannedCall {
  readonly target: string;
  readonly action: string;
}

/** What became of one volume during an attachment or a release. */
export interface VolumeOutcome {
  readonly volumeId: string;
  /** `adopted`: it was attached to this node already; `absent`: there was nothing to release. */
  readonly result: 'attached' | 'adopted' | 'released' | 'absent' | 'failed';
  readonly durationMs: number;
  /** Null unless it failed. */
  readonly error: string | null;
}

/** Hears of each volume as soon as its fate is known. */
export type OnVolume = (outcome: VolumeOutcome) => void;

export interface StorageInterface extends DriverInterface {
  /**
   * Whether the volumes of an active node are attached when it is powered on and released when it is powered off; false: they stay
   * attached from the deployment to the undeployment. Default: true.
   */
  readonly followsPower?: boolean;
  /**
   * Attaches all targets of the node, in the order of their boot index, and returns their connections. Safe to repeat: what is
   * attached to this node already is adopted. When one volume fails, those that this call attached are released before it throws.
   */
  attach(task: Task, onVolume?: OnVolume): Promise<readonly AttachedVolume[]>;
  /**
   * Releases all volumes of the node. Safe to repeat. Returns only when every release is proven. The volumes of an `active` node are
   * released for a time, those of any other for good.
   * @throws STORAGE_FAILURE naming the volumes that are still attached.
   */
  detach(task: Task, onVolume?: OnVolume): Promise<void>;
  /** Whether an image has to be written to the machine's own disk; false: the node boots from a volume that has its system already. */
  shouldWriteImage(task: Task): boolean;
  /** What {@link StorageInterface.attach} would do and, where that can be known without doing it, its result. Touches nothing. */
  plan(task: Task): Promise<StoragePlan>;
  /**
   * Compares what the storage service holds for the node with what it should hold. Called while no operation works on the node.
   * Missing: the driver keeps no books that could disagree.
   * @param expected the attachments that our records show; the volumes that should be attached now.
   * @param repair whether what is provably ours and not expected is released; false: nothing is changed.
   */
  reconcile?(task: Task, expected: readonly VolumeAttachment[], repair: boolean): Promise<readonly AttachmentFinding[]>;
  /**
   * Looks for volumes that are marked as attached to nodes which this conductor does not know. Changes nothing: they may belong to
   * another conductor.
   * @param isKnown whether there is a node with this uuid.
   */
  findOrphans?(isKnown: (nodeUuid: string) => boolean, signal: AbortSignal): Promise<readonly AttachmentFinding[]>;
}

/**
 * A disagreement between our records and those of the storage service.
 * - `leaked`: the service holds something for the node that it should not.
 * - `missing`: our records show an attachment that the service does not have.
 * - `foreign`: a volume of the node is attached to somebody else.
 */
export interface AttachmentFinding {
  readonly kind: 'leaked' | 'missing' | 'foreign';
  readonly nodeUuid: string;
  readonly volumeId: string;
  /** As the storage service calls it; null when there is none. */
  readonly attachmentId: string | null;
  /** What was found, and what the operator can do, as sentences. */
  readonly explanation: string;
  /** Whether it is proven to be ours, so that a repair may release it. */
  readonly isOurs: boolean;
  /** Whether it has been put right: a leak was released, or our record of a missing attachment was dropped (by the conductor). */
  readonly isRepaired: boolean;
}

export interface StoragePlan {
  readonly calls: readonly PlannedCall[];
  /**
   * Connections that are known in advance; the boot artifacts of the dry run are rendered from them. A volume that is left out gets
   * its connection only when it is attached.
   */
  readonly volumes: readonly AttachedVolume[];
  readonly warnings: readonly string[];
}

export interface DeployInterface extends DriverInterface {
  /**
   * Brings the system onto the machine. Runs as one journaled step after the volumes are attached and before the boot
   * configuration is written. Safe to repeat. A deploy interface whose system is on the volume already does nothing.
   */
  deploy(task: Task): Promise<void>;
  /** Frees what {@link DeployInterface.deploy} left. Safe to repeat. */
  cleanUp(task: Task): Promise<void>;
}

export interface VendorMethod {
  readonly httpMethods: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  readonly description: string;
  /** Whether the caller gets 202 at once and the work goes on, with the node locked. Default: false. */
  readonly async?: boolean;
  /** Checked before an asynchronous call is accepted. */
  validate?(task: Task, body: unknown): Promise<void>;
  run(task: Task, body: unknown): Promise<unknown>;
}

export interface VendorInterface extends DriverInterface {
  readonly methods: Readonly<Record<string, VendorMethod>>;
}

export interface NetworkInterface extends DriverInterface {
  /** Connects the machine to the network of its instance. Safe to repeat. */
  configureInstanceNetworks(task: Task): Promise<void>;
  /** Safe to repeat. */
  removeInstanceNetworks(task: Task): Promise<void>;
}

export interface InterfaceTypes {
  readonly power: PowerInterface;
  readonly management: ManagementInterface;
  readonly boot: BootInterface;
  readonly storage: StorageInterface;
  readonly deploy: DeployInterface;
  readonly vendor: VendorInterface;
  readonly network: NetworkInterface;
}
