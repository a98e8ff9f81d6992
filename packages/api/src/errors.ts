import { explain, IronbarkError, isIronbarkError } from '@ironbark/core';
import { isNegotiationError } from './microversion.ts';

/** Body of every failed answer. The string holds JSON again: clients of the Bare Metal API parse it twice. */
export interface ErrorBody {
  readonly error_message: string;
  /** Only with 401, for clients that expect Keystone's form. */
  readonly error?: { readonly code: number; readonly title: string; readonly message: string };
}

export function errorBody(error: IronbarkError): ErrorBody {
  if (isNegotiationError(error)) {
    const description = error.message;
    return { error_message: JSON.stringify({ code: error.status, title: 'Not Acceptable', description }) };
  }
  const faultstring = explain(error);
  const error_message = JSON.stringify({
    faultcode: error.status < 500 ? 'Client' : 'Server',
    faultstring,
    debuginfo: null,
    code: error.code,
    hint: error.hint,
  });
  if (error.status !== 401) return { error_message };
  return { error_message, error: { code: 401, title: 'Unauthorized', message: faultstring } };
}

interface FrameworkError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
}

/** Makes one of ours out of whatever was thrown; what is no error of ours and no fault of the client says nothing of its cause. */
export function toIronbarkError(thrown: unknown): IronbarkError {
  if (isIronbarkError(thrown)) return thrown.code === 'INTERNAL' ? internalError(thrown) : thrown;
  const { code, statusCode } = (thrown ?? {}) as FrameworkError;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new IronbarkError('PAYLOAD_TOO_LARGE', 'The request body is larger than this resource accepts.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType();
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new IronbarkError('INVALID_PARAMETER', 'The request body is not as long as Content-Length says.');
    case 'FST_ERR_BAD_URL':
      return new IronbarkError('INVALID_PARAMETER', 'The path of the request is not validly percent-encoded.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new IronbarkError('NOT_FOUND', 'The resource could not be found: a part of the path is too long.');
    default:
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new IronbarkError('INVALID_PARAMETER', 'The request is malformed.', { status: statusCode });
  return internalError(thrown);
}

function internalError(cause: unknown): IronbarkError {
  return new IronbarkError('INTERNAL', 'An internal error occurred.', {
    cause,
    hint: 'Look for the request id of this answer in the log of the conductor.',
  });
}

export function unsupportedMediaType(): IronbarkError {
  return new IronbarkError('UNSUPPORTED_MEDIA_TYPE', 'The media type of the request body is not supported.', {
    hint: 'Send application/json, or application/json-patch+json for a PATCH.',
  });
}

export function resourceNotFound(): IronbarkError {
  return new IronbarkError('NOT_FOUND', 'The resource could not be found.');
}

/** Something that is missing although the request names it, not its address: 400 instead of 404. */
export function badRequest(error: unknown): unknown {
  if (!isIronbarkError(error) || error.status !== 404) return error;
  const { code, message, hint } = error;
  return new IronbarkError(code, message, { status: 400, ...(hint === undefined ? {} : { hint }), cause: error });
}

/** Awaits work that fails with {@link badRequest} where it would fail with 404. */
export async function asBadRequest<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw badRequest(error);
  }
}
