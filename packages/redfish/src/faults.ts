import { IronbarkError, isIronbarkError, type Secret } from '@ironbark/core';
import type { ConnectionFault } from '@ironbark/http';
import { readMessages } from './extended-info.ts';

/** What was tried, for the message of an error. */
export interface RequestContext {
  readonly address: string;
  readonly method: string;
  readonly path: string;
  /** What the driver_info keys of this BMC begin with. */
  readonly keyPrefix: string;
}

export function describe({ address, method, path }: Omit<RequestContext, 'keyPrefix'>): string {
  return `BMC ${address}: ${method} ${path}`;
}

/** The error for a request that got no answer. */
export function unreachableFault(fault: ConnectionFault, context: RequestContext): IronbarkError {
  const { address, method, path, keyPrefix } = context;
  const { problem, retryable, codes, timedOut } = fault;
  const ca = `driver_info ${keyPrefix}verify_ca`;
  return new IronbarkError('BMC_UNREACHABLE', `${describe(context)} failed: ${problem}.`, {
    hint: fault.hint({
      service: 'BMC',
      address: `driver_info ${keyPrefix}address`,
      ca,
      insecure: { setting: ca, value: '"false"' },
    }),
    retryable,
    details: { address, method, path, codes, timedOut },
  });
}

/** Ids by which a BMC says that it can never do what was asked: DMTF's Base registry. */
const unsupportedIds = new Set([
  'ActionNotSupported',
  'ActionParameterNotSupported',
  'ActionParameterUnknown',
  'ActionParameterValueNotInList',
  'OperationNotAllowed',
  'PropertyNotWritable',
  'PropertyUnknown',
  'PropertyValueNotInList',
  'QueryNotSupported',
  'ResourceNotWritable',
]);

/** Translates an answer with a status of 400 or more, or one that is no answer of a Redfish service at all. */
export function statusFault(
  status: number,
  body: unknown,
  context: RequestContext,
  secrets: readonly Secret[],
): IronbarkError {
  const { ids, text } = readMessages(body, secrets);
  const { code, hint } = classify(status, ids, context);
  return new IronbarkError(code, `${describe(context)} failed with HTTP ${status}${text === '' ? '.' : `: ${text}`}`, {
    hint,
    retryable: code === 'BMC_FAILURE' && (status >= 500 || status === 409 || status === 429),
    details: { address: context.address, method: context.method, path: context.path, status, messageIds: ids },
  });
}

function classify(status: number, ids: readonly string[], { keyPrefix }: RequestContext) {
  if (status === 401) {
    const hint = `Check driver_info ${keyPrefix}username and ${keyPrefix}password, and that the account is not locked.`;
    return { code: 'BMC_UNAUTHORIZED', hint };
  }
  if (status === 403) {
    return { code: 'BMC_UNAUTHORIZED', hint: 'Give the account of driver_info the privilege to control the system.' };
  }
  if ([404, 405, 410, 501].includes(status) || ids.some((id) => unsupportedIds.has(id))) {
    const hint = `The BMC cannot do this, or driver_info ${keyPrefix}address or ${keyPrefix}system_id names something else; a firmware update may help.`;
    return { code: 'BMC_UNSUPPORTED', hint };
  }
  const isBusy = status === 503 || status === 429 || status === 409;
  return {
    code: 'BMC_FAILURE',
    hint: isBusy ? 'The BMC is busy; try again when it has finished.' : "Look into the BMC's own log.",
  };
}

/** The error for what a system or its BMC does not have. @param what continues "does not support …". */
export function unsupportedFault(
  { address }: Pick<RequestContext, 'address'>,
  path: string,
  what: string,
  hint: string,
  cause?: unknown,
): IronbarkError {
  return new IronbarkError('BMC_UNSUPPORTED', `BMC ${address} does not support ${what} for ${path}.`, {
    hint,
    details: { address, path },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The status of the answer that an error was made of. */
export function statusOf(error: unknown): number | undefined {
  const status = isIronbarkError(error) ? error.details?.['status'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** Ids of the BMC's messages in the answer that an error was made of. */
export function messageIdsOf(error: unknown): readonly string[] {
  const ids = isIronbarkError(error) ? error.details?.['messageIds'] : undefined;
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

/** An answer that a Redfish service would not give. */
export function malformedAnswer(context: RequestContext, problem: string): IronbarkError {
  return new IronbarkError('BMC_UNSUPPORTED', `${describe(context)} gave ${problem}.`, {
    hint: `Check that driver_info ${context.keyPrefix}address is the BMC and that its Redfish service is enabled.`,
    details: { address: context.address, method: context.method, path: context.path },
  });
}
