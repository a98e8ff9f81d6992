import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
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

export function createSealer(key: Buffer): Sealer {
  const sealedTexts = new WeakMap<Secret, string>();

  const seal = (secret: Secret): string => {
    const known = sealedTexts.get(secret);
    if (known !== undefined) return known;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const sealed = Buffer.concat([
      nonce,
      cipher.update(secret.reveal(), 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]).toString('base64');
    sealedTexts.set(secret, sealed);
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

  const fromPlain = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(fromPlain);
    const sealed = (value as Record<string, unknown>)[marker];
    if (typeof sealed === 'string') {
      const secret = Secret.lazy(() => open(sealed));
      sealedTexts.set(secret, sealed);
      return secret;
    }
    const result: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value))
      result[escapedKey.test(name) ? name.slice(1) : name] = fromPlain(item);
    return result;
  };

  return {
    keyId: createHmac('sha256', key).update('ironbark secret key').digest('hex').slice(0, 16),
    encode: (value) => JSON.stringify(toPlain(value)),
    decode: (text) => (text.includes(marker) ? fromPlain(JSON.parse(text)) : JSON.parse(text)),
  };
}
