import { explain, IronbarkError, isIronbarkError, type ErrorCode } from '../errors.ts';

/**
 * Says in the message where an error of foreign code came from. An IronbarkError keeps its code, status and hint.
 * @param origin begins the message, for example `Plugin @acme/x failed in setup`.
 * @param fallback code and hint of an error that has none.
 */
export function attributeError(
  origin: string,
  cause: unknown,
  fallback: { readonly code: ErrorCode; readonly hint: string },
): IronbarkError {
  if (!isIronbarkError(cause)) {
    return new IronbarkError(fallback.code, `${origin}: ${explain(cause)}`, { hint: fallback.hint, cause });
  }
  const { code, message, hint = fallback.hint, retryable, status } = cause;
  return new IronbarkError(code, `${origin}: ${message}`, { hint, retryable, status, cause });
}
