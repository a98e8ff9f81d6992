import { isSecret, Secret } from './secret.ts';

/** A JSON value in which credentials are {@link Secret}s. */
export type InfoValue =
  | string
  | number
  | boolean
  | null
  | Secret
  | readonly InfoValue[]
  | { readonly [key: string]: InfoValue };

/** A free-form object of a client (driver_info, extra, target properties): keys as the client wrote them. */
export type Info = { readonly [key: string]: InfoValue };

export function isInfo(value: unknown): value is Info {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value);
}

const secretKey = /passw|secret|token|credential|private_key|^deploy_key$|^configdrive$/i;

/** Whether the value under this key is kept as a {@link Secret}. */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key);
}

/**
 * Makes secrets of what a client sent under keys that name credentials, at any depth.
 * Numbers and booleans under such keys become secrets too; objects and lists are kept as their JSON text.
 */
export function wrapSecrets(value: InfoValue): InfoValue {
  if (Array.isArray(value)) return value.map(wrapSecrets);
  if (!isInfo(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecretKey(key) ? toSecret(item) : wrapSecrets(item)]),
  );
}

function toSecret(value: InfoValue): InfoValue {
  if (value === null || value === '' || isSecret(value)) return value;
  return Secret.of(typeof value === 'string' ? value : JSON.stringify(value));
}

/** The text of a value that may have been stored as a secret; undefined for everything that is no text. */
export function revealText(value: InfoValue | undefined): string | undefined {
  if (isSecret(value)) return value.reveal();
  return typeof value === 'string' ? value : undefined;
}
