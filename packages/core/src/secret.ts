import { inspect } from 'node:util';

const brand = Symbol.for('ironbark.secret');

/** What a secret prints as, everywhere. Clients of the Bare Metal API know this text. */
export const MASK = '******';

/**
 * A value that cannot be printed: string conversion, JSON, `inspect` and template literals all give `******`.
 * Taking the value out is explicit: {@link Secret.reveal}.
 */
export class Secret {
  readonly [brand] = true;
  readonly #reveal: () => string;

  private constructor(reveal: () => string) {
    this.#reveal = reveal;
  }

  static of(value: string): Secret {
    return new Secret(() => value);
  }

  /** A secret whose value is computed (decrypted, say) only when it is revealed. */
  static lazy(reveal: () => string): Secret {
    return new Secret(reveal);
  }

  reveal(): string {
    return this.#reveal();
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** Recognises secrets by brand, so that a second copy of this package in a plugin's tree does no harm. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && brand in value;
}

/**
 * Text with secrets in it, such as a boot script. Prints masked; {@link SecretText.reveal} gives what goes to the machine.
 */
export class SecretText {
  readonly #parts: readonly (string | Secret)[];

  constructor(parts: readonly (string | Secret)[]) {
    this.#parts = parts;
  }

  static join(texts: readonly (SecretText | string)[], separator: string): SecretText {
    const parts = texts.flatMap((text, index) => [
      ...(index === 0 ? [] : [separator]),
      ...(typeof text === 'string' ? [text] : text.#parts),
    ]);
    return new SecretText(parts);
  }

  reveal(): string {
    return this.#parts.map((part) => (typeof part === 'string' ? part : part.reveal())).join('');
  }

  toString(): string {
    return this.#parts.join('');
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Template tag: ``secretText`set password ${password}` `` keeps the password a secret inside the text. */
export function secretText(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Secret)[]
): SecretText {
  const parts: (string | Secret)[] = [];
  strings.forEach((text, index) => {
    parts.push(text);
    const value = values[index];
    if (value !== undefined) parts.push(isSecret(value) ? value : String(value));
  });
  return new SecretText(parts);
}
