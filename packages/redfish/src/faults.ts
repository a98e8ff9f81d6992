import { IronbarkError, isIronbarkError, type Secret } from '@ironbark/core';
import { isTimeoutError } from 'ky';
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

interface Diagnosis {
  readonly problem: string;
  readonly hint: (prefix: string) => string;
  readonly retryable: boolean;
}

const checkAddress = (prefix: string) =>
  `Check driver_info ${prefix}address, the network to the BMC, and that its web service runs.`;
const tryLater = () => 'The BMC may be restarting; try again.';
const trustCertificate = (prefix: string) =>
  `Set driver_info ${prefix}verify_ca to the PEM file of the CA that signed it; "false" turns the check off.`;

const refused: Diagnosis = { problem: 'the connection was refused', hint: checkAddress, retryable: true };
const unreachable: Diagnosis = { problem: 'the host cannot be reached', hint: checkAddress, retryable: true };
const noAnswer: Diagnosis = { problem: 'the host did not answer in time', hint: checkAddress, retryable: true };
const unknownName: Diagnosis = {
  problem: 'the host name does not resolve',
  hint: (prefix) => `Correct driver_info ${prefix}address, or add the name to DNS.`,
  retryable: false,
};
const broken: Diagnosis = {
  problem: 'the connection broke before the answer was complete',
  hint: tryLater,
  retryable: true,
};
const untrusted: Diagnosis = {
  problem: 'its TLS certificate is not signed by a trusted CA',
  hint: trustCertificate,
  retryable: false,
};
const outdated: Diagnosis = {
  problem: 'its TLS certificate is not valid today',
  hint: (prefix) => `Renew the certificate or set the BMC's clock; driver_info ${prefix}verify_ca "false" ignores it.`,
  retryable: false,
};
const otherName: Diagnosis = {
  problem: 'its TLS certificate is for another name',
  hint: (prefix) => `Write the name of the certificate in driver_info ${prefix}address, or replace the certificate.`,
  retryable: false,
};
const noTls: Diagnosis = {
  problem: 'the TLS handshake failed',
  hint: (prefix) =>
    `Check the port in driver_info ${prefix}address; a BMC without TLS needs an address with "http://".`,
  retryable: false,
};
const noHttp: Diagnosis = {
  problem: 'the answer is not HTTP',
  hint: (prefix) => `Check scheme and port in driver_info ${prefix}address.`,
  retryable: false,
};
const tooLarge: Diagnosis = { ...noHttp, problem: 'the answer is larger than any resource' };
const unknown: Diagnosis = { problem: 'the request could not be made', hint: checkAddress, retryable: false };

const diagnoses: Readonly<Record<string, Diagnosis>> = {
  ECONNREFUSED: refused,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ETIMEDOUT: noAnswer,
  UND_ERR_CONNECT_TIMEOUT: noAnswer,
  ENOTFOUND: unknownName,
  EAI_AGAIN: { ...unknownName, retryable: true },
  ECONNRESET: broken,
  EPIPE: broken,
  UND_ERR_SOCKET: broken,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: broken,
  HTTPParserError: noHttp,
  UND_ERR_RES_EXCEEDED_MAX_SIZE: tooLarge,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_HAS_EXPIRED: outdated,
  CERT_NOT_YET_VALID: outdated,
  ERR_TLS_CERT_ALTNAME_INVALID: otherName,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
};

/** Translates what fetch and ky throw. The cause is left out: its message may hold the whole request. */
export function connectionFault(error: unknown, context: RequestContext): IronbarkError {
  const codes = codesOf(error);
  const known = codes.map((code) => (code.startsWith('HPE_') ? noHttp : diagnoses[code]));
  const diagnosis = isTimeoutError(error) ? noAnswer : (known.find((found) => found !== undefined) ?? unknown);
  return unreachableFault(diagnosis, context, { codes, timedOut: diagnosis === noAnswer });
}

/** JSON that breaks off, although the transport was content. */
export function brokenAnswer(context: RequestContext): IronbarkError {
  return unreachableFault(broken, context, {});
}

function unreachableFault(
  { problem, hint, retryable }: Diagnosis,
  context: RequestContext,
  facts: Readonly<Record<string, unknown>>,
): IronbarkError {
  return new IronbarkError('BMC_UNREACHABLE', `${describe(context)} failed: ${problem}.`, {
    hint: hint(context.keyPrefix),
    retryable,
    details: { address: context.address, method: context.method, path: context.path, ...facts },
  });
}

/** Whether the BMC was waited for in vain: to ask once more would cost that time again. */
export function isTimeoutFault(fault: IronbarkError): boolean {
  return fault.details?.['timedOut'] === true;
}

/** The codes of an error and its causes, the outermost first; names of those that have none. */
function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  for (let cause = error, depth = 0; cause instanceof Error && depth < 6; cause = cause.cause, depth += 1) {
    codes.push('code' in cause && typeof cause.code === 'string' ? cause.code : cause.name);
  }
  return codes;
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
