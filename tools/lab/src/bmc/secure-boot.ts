import { RedfishError } from './redfish-error.ts';

/** The SecureBoot resource of a system (DSP0268): what the firmware is to enforce, and what it enforces now. */
export class SecureBoot {
  #isEnabled = false;
  #isActive = false;
  #pending: boolean | undefined;

  /** SecureBootEnable. */
  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** SecureBootCurrentBoot. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /**
   * Applies the body of a PATCH.
   * @param mode of the system; there is no Secure Boot with a legacy BIOS.
   * @param isDelayed whether the resource shows the change only after the next start.
   * @throws RedfishError naming the property.
   */
  patch(body: Readonly<Record<string, unknown>>, mode: string, isDelayed: boolean): void {
    const { SecureBootEnable: value, ...rest } = body;
    const [other] = Object.keys(rest);
    if (other !== undefined) throw new RedfishError('PropertyNotWritable', [other]);
    if (value === undefined) throw new RedfishError('PropertyMissing', ['SecureBootEnable']);
    if (typeof value !== 'boolean') {
      throw new RedfishError('PropertyValueTypeError', [JSON.stringify(value), 'SecureBootEnable']);
    }
    if (value && mode !== 'UEFI') {
      throw new RedfishError('PropertyValueConflict', ['SecureBootEnable', 'BootSourceOverrideMode']);
    }
    if (isDelayed) this.#pending = value;
    else this.#isEnabled = value;
  }

  /** The firmware has started. */
  start(mode: string): void {
    this.#isEnabled = this.#pending ?? this.#isEnabled;
    this.#pending = undefined;
    this.#isActive = this.#isEnabled && mode === 'UEFI';
  }
}
