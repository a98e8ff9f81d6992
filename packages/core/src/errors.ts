const brand = Symbol.for('ironbark.error');

/**
 * Error codes of the core and the conductor with their HTTP status. Codes change only in a major version; messages may change
 * at any time. Plugins use codes of their own prefix (`CINDER_…`).
 */
export const errorCodes = {
  INVALID_PARAMETER: 400,
  MISSING_PARAMETER: 400,
  INVALID_STATE_REQUESTED: 400,
  NODE_IN_MAINTENANCE: 400,
  UNSUPPORTED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NODE_PROTECTED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  DUPLICATE: 409,
  INVALID_STATE: 409,
  NODE_ASSOCIATED: 409,
  NODE_LOCKED: 409,
  LOCK_LOST: 409,
  POWER_STATE_FAILURE: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  STORAGE_FAILURE: 500,
  DEPLOY_FAILURE: 500,
  INTERNAL: 500,
  BMC_UNREACHABLE: 500,
  BMC_UNAUTHORIZED: 500,
  BMC_UNSUPPORTED: 500,
  BMC_FAILURE: 500,
  DATABASE_TOO_NEW: 500,
  DATABASE_TOO_OLD: 500,
  DATABASE_IN_USE: 500,
  SECRET_KEY_INVALID: 500,
  CONFIG_INVALID: 500,
  PLUGIN_MANIFEST_INVALID: 500,
  PLUGIN_API_MISMATCH: 500,
  PLUGIN_LOAD_FAILED: 500,
  PLUGIN_DRIVER_CONFLICT: 500,
  PLUGIN_HOOK_FAILED: 500,
  DRIVER_NOT_FOUND: 500,
  OPERATION_ABORTED: 500,
  OPERATION_TIMEOUT: 500,
  NO_FREE_WORKER: 503,
  IDENTITY_UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorOptions {
  /** What the operator does next, as a sentence. */
  readonly hint?: string;
  /** Whether the same call may succeed later without a change. Default: false. */
  readonly retryable?: boolean;
  /** Structured facts for logs; never a secret's value. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** HTTP status, for codes that {@link errorCodes} does not list. Default: 500. */
  readonly status?: number;
}

/** The one error class of Ironbark: a stable code, what is wrong and where, and what to do next. */
export class IronbarkError extends Error {
  readonly [brand] = true;
  readonly code: string;
  readonly status: number;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode | (string & {}), message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IronbarkError';
    this.code = code;
    this.status = options.status ?? (code in errorCodes ? errorCodes[code as ErrorCode] : 500);
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }
}

/** Recognises errors by brand, never by `instanceof`: a plugin may bring its own copy of this package. */
export function isIronbarkError(value: unknown, code?: string): value is IronbarkError {
  return (
    typeof value === 'object' &&
    value !== null &&
    brand in value &&
    (code === undefined || (value as IronbarkError).code === code)
  );
}

/** Message and hint as one text, for `last_error`, API replies and logs. */
export function explain(error: unknown): string {
  if (!(error instanceof Error) && !isIronbarkError(error)) return String(error);
  const hint = isIronbarkError(error) && error.hint !== undefined ? ` ${error.hint}` : '';
  const stop = hint === '' || /[.!?]$/.test(error.message) ? '' : '.';
  return `${error.message}${stop}${hint}`;
}

export function invalidParameter(message: string, options?: ErrorOptions): IronbarkError {
  return new IronbarkError('INVALID_PARAMETER', message, options);
}

export function missingParameter(message: string, options?: ErrorOptions): IronbarkError {
  return new IronbarkError('MISSING_PARAMETER', message, options);
}

export function notFound(what: string, ident: string): IronbarkError {
  return new IronbarkError('NOT_FOUND', `${what} ${ident} could not be found.`);
}
