import { IronbarkError, isIronbarkError, type ErrorOptions } from '@ironbark/core';

/** Codes of the errors of OpenStack services; see {@link ServiceError}. */
export type ServiceErrorCode =
  /** No connection, no answer in time, TLS not acceptable, answer broken off. */
  | 'OPENSTACK_UNREACHABLE'
  /** 401: Keystone refuses the credentials, or a service refuses a fresh token. */
  | 'OPENSTACK_UNAUTHORIZED'
  /** 403. */
  | 'OPENSTACK_FORBIDDEN'
  /** 404, 410 in the form of the service. */
  | 'OPENSTACK_NOT_FOUND'
  /** 409, 412. */
  | 'OPENSTACK_CONFLICT'
  /** 413 of a quota or a rate limit, 429. */
  | 'OPENSTACK_OVER_LIMIT'
  /** 400, 406 and the other 4xx. */
  | 'OPENSTACK_REJECTED'
  /** 5xx. */
  | 'OPENSTACK_FAILURE'
  /** An answer that such a service does not give, a 404 without its words among them. */
  | 'OPENSTACK_MALFORMED'
  /** The catalogue has no such service, or not in this region or with this interface. */
  | 'OPENSTACK_NO_ENDPOINT';

export interface ServiceErrorOptions extends Omit<ErrorOptions, 'status'> {
  readonly httpStatus: number | null;
  readonly mayHaveActed: boolean;
}

/** What went wrong with a request to an OpenStack service. */
export class ServiceError extends IronbarkError {
  /** Of the service's answer; null when there was none. */
  readonly httpStatus: number | null;
  /**
   * Whether the service may have done what was asked of it, wholly or in part. False: certainly not, because it never got the request
   * or refused it (4xx), or was only to tell something. True: it answered 5xx, its answer was lost, late or not understood; or so it
   * was at an earlier attempt.
   */
  readonly mayHaveActed: boolean;

  constructor(code: ServiceErrorCode, message: string, { httpStatus, mayHaveActed, ...options }: ServiceErrorOptions) {
    super(code, message, options);
    this.name = 'ServiceError';
    this.httpStatus = httpStatus;
    this.mayHaveActed = mayHaveActed;
  }
}

/** The same error as that of another request, for which this one was made or which had been made before. */
export function withMayHaveActed(error: unknown, mayHaveActed: boolean): unknown {
  if (!isServiceError(error) || error.mayHaveActed === mayHaveActed) return error;
  const { code, message, hint, retryable, details, httpStatus } = error;
  return new ServiceError(code as ServiceErrorCode, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
    retryable,
    httpStatus,
    mayHaveActed,
  });
}

/** Recognises by shape, never by `instanceof`: a plugin may bring its own copy of this package. */
export function isServiceError(value: unknown, code?: ServiceErrorCode): value is ServiceError {
  return isIronbarkError(value, code) && 'mayHaveActed' in value && 'httpStatus' in value;
}
