import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { IronbarkError, isSecret, Secret } from '@ironbark/core';

/** Encrypts secrets inside stored documents with AES-256-GCM; everything else is stored as it is. */
export interface Sealer {
  /** JSON text of a value in which every secret is encrypted. */
  encode(value: unknown): string;
  /** The value again; secrets are decrypted when they are revealed. */
  decode(text: string): unknown;
  /** Tells keys apart without giving them away. */
  readonly keyId: string;
}

const marker = '$sealed';
/** Keys of clients that look like the marker are stored with one more `$`. */
const escapedKey = /^\$+sealed$/;
const nonceBytes = 12;
const tagBytes = 16;

/** Whether a value is stored as it is: most are, and copying them would cost more than looking. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return !isSecret(value) && Object.entries(value).every(([name, item]) => !name.startsWith('$') && isPlain(item));
}

function unescapeKeys(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(object);
  return Object.fromEntries(entries.map(([name, item]) => [escapedKey.test(name) ? name.slice(1) : name, item]));
}

export function createSealer(keyBytes: Buffer): Sealer {
  const key = createSecretKey(keyBytes);
  // A secret that was read carries its sealed text, so that writing it again encrypts nothing. A list reads thousands: a property of the
  // secret costs less than a map.
  const sealedText = Symbol('sealed text');
  type Sealed = Secret & { [sealedText]?: string };

  const seal = (secret: Sealed): string => {
    const known = secret[sealedText];
    if (known !== undefined) return known;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const sealed = Buffer.concat([
      nonce,
      cipher.update(secret.reveal(), 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]).toString('base64');
    secret[sealedText] = sealed;
    return sealed;
  };

  const open = (sealed: string): string => {
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new IronbarkError(
        'SECRET_KEY_INVALID',
        'A stored secret cannot be decrypted with the key file of this conductor.',
        {
          hint: 'Restore the key file that belongs to the database (database.key_file).',
          cause,
        },
      );
    }
  };

  const toPlain = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (isSecret(value)) return { [marker]: seal(value) };
    if (Array.isArray(value)) return value.map(toPlain);
    const plain: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) plain[escapedKey.test(name) ? `$${name}` : name] = toPlain(item);
    return plain;
  };

  const toSecret = (sealed: string): Secret => {
    const secret: Sealed = Secret.lazy(() => open(sealed));
    secret[sealedText] = sealed;
    return secret;
  };

  /** Puts the secrets in, in place: a list decodes thousands of documents, and few of their objects change. */
  const fromPlain = (value: object): unknown => {
    const object = value as Record<string, unknown>;
    const sealed = object[marker];
    if (typeof sealed === 'string') return toSecret(sealed);
    let hasEscapedKey = false;
    for (const name of Object.keys(object)) {
      const item = object[name];
      if (typeof item === 'object' && item !== null) object[name] = fromPlain(item);
      if (name.startsWith('$')) hasEscapedKey ||= escapedKey.test(name);
    }
    return hasEscapedKey ? unescapeKeys(object) : object;
  };

  return {
    keyId: createHmac('sha256', key).update('ironbark secret key').digest('hex').slice(0, 16),
    encode: (value) => JSON.stringify(isPlain(value) ? value : toPlain(value)),
    decode(text) {
      const value: unknown = JSON.parse(text);
      return text.includes(marker) && typeof value === 'object' && value !== null ? fromPlain(value) : value;
    },
  };
}
