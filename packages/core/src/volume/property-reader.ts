import { invalidParameter, type IronbarkError } from '../errors.ts';
import { isSecret, Secret } from '../secret.ts';
import type { Info, InfoValue } from '../info.ts';

/** Reads fields of a volume's properties and says, when one is wrong, which field of which record it is. */
export class PropertyReader {
  readonly #properties: Info;
  readonly #where: string;

  /** @param where names the record in error messages, for example `volume target 6e…`. */
  constructor(properties: Info, where: string) {
    this.#properties = properties;
    this.#where = where;
  }

  has(key: string): boolean {
    const value = this.#properties[key];
    return value !== undefined && value !== null && value !== '';
  }

  /** The values under `<key>s` when that list is given, else the one under `key`; empty when neither is. */
  list(key: string): readonly InfoValue[] {
    const plural = this.#properties[`${key}s`];
    if (Array.isArray(plural)) {
      if (plural.length === 0)
        throw this.fault(`${key}s`, 'is an empty list', 'Give at least one value, or remove it.');
      return plural;
    }
    if (plural !== undefined && plural !== null) throw this.fault(`${key}s`, 'is not a list', 'Give a JSON list.');
    const single = this.#properties[key];
    if (single === undefined || single === null || single === '') return [];
    return Array.isArray(single) ? single.slice(0, 1) : [single];
  }

  text(key: string): string | undefined {
    if (!this.has(key)) return undefined;
    return this.asText(key, this.#properties[key]);
  }

  asText(key: string, value: InfoValue | undefined): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return String(value);
    if (isSecret(value)) return value.reveal();
    throw this.fault(key, 'is not text', 'Give a string.');
  }

  secret(key: string): Secret | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const value = this.#properties[key];
    return isSecret(value) ? value : Secret.of(text);
  }

  /** @param problem continues "Property <key> of <record> …"; it must not quote a secret. */
  fault(key: string, problem: string, hint: string): IronbarkError {
    return invalidParameter(`Property ${key} of ${this.#where} ${problem}.`, { hint });
  }
}
