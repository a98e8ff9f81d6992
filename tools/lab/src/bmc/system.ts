import { Faults } from './faults.ts';
import type { Machine } from './machine.ts';
import {
  bootOrder,
  bootSupportOf,
  httpBootUrl,
  noOverride,
  patchBootOverride,
  type BootOverride,
  type BootSupport,
} from './boot-override.ts';
import { RedfishError } from './redfish-error.ts';
import { SecureBoot } from './secure-boot.ts';
import type { MediaSlot } from '../virtual-machine.ts';

export type ResetType =
  | 'On'
  | 'ForceOn'
  | 'ForceOff'
  | 'ForceRestart'
  | 'GracefulShutdown'
  | 'GracefulRestart'
  | 'PushPowerButton'
  | 'Nmi';

export const resetTypes: readonly ResetType[] = [
  ['On', 'ForceOn', 'ForceOff', 'ForceRestart'] as const,
  ['GracefulShutdown', 'GracefulRestart', 'PushPowerButton', 'Nmi'] as const,
].flat();

export type PowerState = 'On' | 'Off' | 'PoweringOn' | 'PoweringOff';

/** Virtual media devices by the id that they have below the manager. */
export const mediaSlots = { Cd: 'cd', Floppy: 'floppy' } as const satisfies Readonly<Record<string, MediaSlot>>;
export type MediaId = keyof typeof mediaSlots;

export interface InsertedMedia {
  readonly image: string;
  readonly writeProtected: boolean;
}

/** How a system departs from what it should do; all of it may be changed at any time. */
export interface SystemQuirks {
  /** What the resource says about the power instead of the truth. */
  reportedPowerState?: PowerState;
  /** PATCHes of the boot override are answered with success and forgotten. */
  ignoresBootOverride?: boolean;
  /** Power actions are answered with success and not carried out. */
  ignoresReset?: boolean;
  /** Media are reported as inserted without image, as some BMCs do without a licence. */
  ignoresInsertMedia?: boolean;
  /** A PATCH without If-Match is answered with 428. */
  requiresEtag?: boolean;
  /** The boot mode cannot be set by way of the boot override, as with iLO. */
  hasFixedBootMode?: boolean;
  /** The boot mode is taken only together with a boot target. */
  needsTargetForBootMode?: boolean;
  /** A boot target without a boot mode beside it takes the system back to legacy boot, as with Supermicro. */
  losesBootMode?: boolean;
  /** A new boot mode counts, and shows, from the next start on; the answer says that a reset is required. */
  delaysBootMode?: boolean;
  /** There is no SecureBoot resource. */
  lacksSecureBoot?: boolean;
  /** Secure Boot is not set while the power is on. */
  locksSecureBootWhileOn?: boolean;
  /** As `delaysBootMode`. */
  delaysSecureBoot?: boolean;
  /** PATCHes of Secure Boot are answered with success and forgotten. */
  ignoresSecureBoot?: boolean;
}

export interface SystemOptions {
  readonly id: string;
  readonly machine: Machine;
  /** Checks that an image can be read before it is inserted; rejects when it cannot. */
  readonly checkImage?: (url: string) => Promise<void>;
}

/** One computer system of a BMC with the manager that belongs to it. */
export class BmcSystem {
  readonly id: string;
  readonly machine: Machine;
  readonly support: BootSupport;
  readonly quirks: SystemQuirks = {};
  /** The override that counted when the firmware last started; undefined before the first start. */
  lastBoot: BootOverride | undefined;
  readonly #checkImage: SystemOptions['checkImage'];
  readonly #media = new Map<MediaId, InsertedMedia>();
  readonly #secureBoot = new SecureBoot();
  #boot: BootOverride;
  #pendingMode: string | undefined;
  #biosAttributes: Readonly<Record<string, unknown>> | undefined;
  #pendingBiosAttributes: Readonly<Record<string, unknown>> | undefined;
  #faults: Faults | undefined;
  #version = 1;
  #resets = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: SystemOptions) {
    this.id = options.id;
    this.machine = options.machine;
    this.support = bootSupportOf(options.machine);
    this.#checkImage = options.checkImage;
    this.#boot = noOverride(this.support);
    this.machine.events.on('boot', () => this.#onBoot()).on('off', () => this.#touch());
  }

  get powerState(): PowerState {
    return this.quirks.reportedPowerState ?? (this.machine.isOn ? 'On' : 'Off');
  }

  get boot(): BootOverride {
    return this.#boot;
  }

  /** How often the firmware started. */
  get resets(): number {
    return this.#resets;
  }

  get faults(): Faults {
    this.#faults ??= new Faults();
    return this.#faults;
  }

  get hasFaults(): boolean {
    return this.#faults !== undefined;
  }

  get etag(): string {
    return `W/"${this.#version}"`;
  }

  get biosAttributes(): Readonly<Record<string, unknown>> {
    return this.#biosAttributes ?? { BootMode: this.support.modes.at(-1) === 'UEFI' ? 'Uefi' : 'LegacyBios' };
  }

  get pendingBiosAttributes(): Readonly<Record<string, unknown>> {
    return { ...this.biosAttributes, ...this.#pendingBiosAttributes };
  }

  media(id: MediaId): InsertedMedia | undefined {
    return this.#media.get(id);
  }

  /** Tells the machine its boot order; to be awaited once before the system is used. */
  async prepare(): Promise<void> {
    await this.machine.setBootOrder(bootOrder(this.#boot));
  }

  /** Undefined: the system has no Secure Boot. */
  get secureBoot(): SecureBoot | undefined {
    return this.support.hasSecureBoot && this.quirks.lacksSecureBoot !== true ? this.#secureBoot : undefined;
  }

  /** @returns whether a start is needed until the change shows. @throws RedfishError */
  async patchBoot(patch: unknown): Promise<boolean> {
    const { quirks } = this;
    const boot = patchBootOverride(this.#boot, patch, this.support);
    const names = Object.keys(patch as object);
    const hasMode = names.includes('BootSourceOverrideMode');
    const hasTarget = names.includes('BootSourceOverrideTarget');
    if (hasMode && quirks.hasFixedBootMode === true) {
      throw new RedfishError('PropertyNotWritable', ['BootSourceOverrideMode']);
    }
    if (hasMode && !hasTarget && quirks.needsTargetForBootMode === true) {
      throw new RedfishError('PropertyMissing', ['BootSourceOverrideTarget']);
    }
    if (quirks.ignoresBootOverride === true) return false;
    const isDelayed = hasMode && quirks.delaysBootMode === true;
    if (isDelayed) this.#pendingMode = boot.mode;
    const isLost = hasTarget && !hasMode && quirks.losesBootMode === true;
    const mode = isDelayed ? this.#boot.mode : boot.mode;
    await this.#setBoot({ ...boot, mode: isLost ? 'Legacy' : mode });
    return isDelayed;
  }

  /** @returns whether a start is needed until the change shows. @throws RedfishError */
  patchSecureBoot(secureBoot: SecureBoot, patch: Readonly<Record<string, unknown>>): boolean {
    const { delaysSecureBoot = false, locksSecureBootWhileOn, ignoresSecureBoot } = this.quirks;
    if (locksSecureBootWhileOn === true && this.machine.isOn) throw new RedfishError('ResourceInUse');
    if (ignoresSecureBoot === true) return false;
    secureBoot.patch(patch, this.#pendingMode ?? this.#boot.mode, delaysSecureBoot);
    this.#touch();
    return delaysSecureBoot;
  }

  /** Carries out a power action after those that came before. @throws RedfishError, and what the machine throws. */
  async reset(type: ResetType): Promise<void> {
    if (this.quirks.ignoresReset === true) return;
    const work = this.#work.then(async () => this.#reset(type));
    this.#work = work.catch(() => undefined);
    await work;
  }

  /** @throws RedfishError when a medium is inserted already or the image cannot be read. */
  async insertMedia(id: MediaId, media: InsertedMedia): Promise<void> {
    if (this.#media.has(id)) throw new RedfishError('ResourceInUse');
    if (this.quirks.ignoresInsertMedia === true) return;
    await this.#checkImage?.(media.image);
    await this.machine.insertMedia(mediaSlots[id], media.image);
    this.#media.set(id, media);
    this.#touch();
  }

  async ejectMedia(id: MediaId): Promise<void> {
    await this.machine.ejectMedia(mediaSlots[id]);
    this.#media.delete(id);
    this.#touch();
  }

  /** Sets attributes, of whatever name, that take effect at the next start. @throws RedfishError for values that are no scalars. */
  patchBios(attributes: unknown): void {
    if (typeof attributes !== 'object' || attributes === null) {
      throw new RedfishError('PropertyValueTypeError', [JSON.stringify(attributes), 'Attributes']);
    }
    const complex = Object.entries(attributes).find(([, value]) => typeof value === 'object');
    if (complex !== undefined)
      throw new RedfishError('PropertyValueTypeError', [JSON.stringify(complex[1]), complex[0]]);
    this.#pendingBiosAttributes = { ...this.#pendingBiosAttributes, ...attributes };
    this.#touch();
  }

  async #reset(type: ResetType): Promise<void> {
    const { machine } = this;
    const wasOn = machine.isOn;
    switch (type) {
      case 'On':
      case 'ForceOn':
        return machine.powerOn();
      case 'ForceOff':
        return machine.powerOff();
      case 'GracefulShutdown':
        return wasOn ? machine.pressPowerButton() : undefined;
      case 'PushPowerButton':
        return wasOn ? machine.pressPowerButton() : machine.powerOn();
      case 'GracefulRestart':
        if (!wasOn) throw new RedfishError('ResourceInUse');
        machine.events.once('off', () => void this.reset('On').catch(() => undefined));
        return machine.pressPowerButton();
      case 'ForceRestart':
        if (!wasOn) throw new RedfishError('ResourceInUse');
        return machine.reset();
      case 'Nmi':
        if (!wasOn) throw new RedfishError('ResourceInUse');
        return machine.injectNmi();
    }
  }

  /** The firmware has read its settings: a one-time override is used up, pending BIOS attributes are current. */
  #onBoot(): void {
    this.#resets += 1;
    this.#boot = { ...this.#boot, mode: this.#pendingMode ?? this.#boot.mode };
    this.#pendingMode = undefined;
    this.#secureBoot.start(this.#boot.mode);
    this.lastBoot = this.#boot;
    if (this.#pendingBiosAttributes !== undefined) {
      this.#biosAttributes = this.pendingBiosAttributes;
      this.#pendingBiosAttributes = undefined;
    }
    if (this.#boot.enabled === 'Once') {
      void this.#setBoot({ ...this.#boot, enabled: 'Disabled', target: 'None' }).catch(() => undefined);
    } else {
      this.#touch();
    }
  }

  async #setBoot(boot: BootOverride): Promise<void> {
    this.#boot = boot;
    this.#touch();
    this.machine.setHttpBootUrl(httpBootUrl(boot));
    await this.machine.setBootOrder(bootOrder(boot));
  }

  #touch(): void {
    this.#version += 1;
  }
}
