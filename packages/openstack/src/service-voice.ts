import { IronbarkError, MASK, Secret, type Logger } from '@ironbark/core';
import { oneLine, type HttpReply, type HttpRequest, type HttpVoice } from '@ironbark/http';
import { isPassing, isRateLimited } from './repetition.ts';
import { ServiceError, type ServiceErrorCode } from './service-error.ts';

/** How a service and the settings about it are called. */
export interface ServiceNames {
  /** `Keystone`, `Cinder` … */
  readonly name: string;
  /** Where its address is from, for example `settings.cinder.endpoint_override`. */
  readonly address: string;
  /** The section of the settings: `settings.cinder`. */
  readonly settings: string;
}

/** An HttpVoice that also speaks of answers with a status of 400 or more. */
export interface ServiceVoice extends HttpVoice {
  /** @param secrets what the message must not repeat; tokens of the request are known. */
  refused(reply: HttpReply, request: HttpRequest, secrets?: readonly Secret[]): ServiceError;
}

export function serviceVoice(names: ServiceNames, log: Logger): ServiceVoice {
  const { name, address, settings } = names;
  const ca = `${settings}.cafile`;
  const settingNames = {
    service: 'service',
    address,
    ca,
    insecure: { setting: `${settings}.insecure`, value: 'true' },
  };
  const describe = (request: HttpRequest) => describeRequest(name, request);
  return {
    describe,
    unreachable: (fault, request) =>
      new ServiceError('OPENSTACK_UNREACHABLE', `${describe(request)} failed: ${fault.problem}.`, {
        hint: fault.hint(settingNames),
        retryable: fault.retryable,
        httpStatus: null,
        mayHaveActed: fault.mayHaveArrived && isChange(request),
        details: { ...factsOf(name, request), codes: fault.codes },
      }),
    malformed: (problem, request) =>
      new ServiceError('OPENSTACK_MALFORMED', `${describe(request)} gave ${problem}.`, {
        hint: `Check that ${address} is the address of ${name}.`,
        httpStatus: null,
        mayHaveActed: isChange(request),
        details: factsOf(name, request),
      }),
    caFile: ({ path, problem, cause }) =>
      new IronbarkError('CONFIG_INVALID', `The CA file ${path} for ${name} ${problem}.`, {
        hint: `Put a PEM file there, readable for the conductor, or correct ${ca}.`,
        cause,
      }),
    repeating: (request, facts) =>
      log.debug({ ...factsOf(name, request), ...facts }, `Repeating a request to ${name}.`),
    refused: (reply, request, secrets = []) => refusal(names, reply, request, [...tokensOf(request), ...secrets]),
  };
}

function describeRequest(name: string, { method, url, body }: HttpRequest): string {
  const { origin, pathname, search } = new URL(url);
  const action = pathname.endsWith('/action') && body !== undefined ? ` (${Object.keys(body).join(', ')})` : '';
  return `${name} ${origin}: ${method} ${pathname}${search}${action}`;
}

function isChange({ method }: HttpRequest): boolean {
  return method !== 'GET';
}

function factsOf(service: string, { method, url }: HttpRequest) {
  return { service, method, url };
}

function refusal(
  names: ServiceNames,
  reply: HttpReply,
  request: HttpRequest,
  secrets: readonly Secret[],
): ServiceError {
  const { status, headers, body } = reply;
  const requestId = headers.get('x-openstack-request-id');
  const text = messageOf(body, secrets);
  const what = `${describeRequest(names.name, request)} failed with HTTP ${status}${text === '' ? '.' : `: ${text}`}`;
  const code = codeOf(status);
  // What is missing is forgotten, so the service itself has to say so: a proxy says it too, of a service that is down.
  const isForeign = code === 'OPENSTACK_NOT_FOUND' && !partsOf(body).some((part) => 'code' in part);
  return new ServiceError(isForeign ? 'OPENSTACK_MALFORMED' : code, what, {
    hint: isForeign
      ? foreignHint(names)
      : hintFor(status, names, { text, requestId, isRateLimit: isRateLimited(reply) }),
    retryable: isForeign || isPassing({ reply }),
    httpStatus: isForeign ? null : status,
    mayHaveActed: (status >= 500 || reply.mayHaveArrivedBefore) && isChange(request),
    details: { ...factsOf(names.name, request), httpStatus: status, requestId },
  });
}

function tokensOf({ headers }: HttpRequest): readonly Secret[] {
  return Object.entries(headers).flatMap(([name, value]) => (name.endsWith('-token') ? [Secret.of(value)] : []));
}

const codes: Readonly<Record<number, ServiceErrorCode>> = {
  401: 'OPENSTACK_UNAUTHORIZED',
  403: 'OPENSTACK_FORBIDDEN',
  404: 'OPENSTACK_NOT_FOUND',
  409: 'OPENSTACK_CONFLICT',
  410: 'OPENSTACK_NOT_FOUND',
  412: 'OPENSTACK_CONFLICT',
  413: 'OPENSTACK_OVER_LIMIT',
  429: 'OPENSTACK_OVER_LIMIT',
};

function codeOf(status: number): ServiceErrorCode {
  return codes[status] ?? (status >= 500 ? 'OPENSTACK_FAILURE' : 'OPENSTACK_REJECTED');
}

function foreignHint({ name, address }: ServiceNames): string {
  return `This is no answer of ${name}: check that ${address} is its address, and that ${name} runs if a proxy is before it.`;
}

interface RefusalFacts {
  readonly text: string;
  readonly requestId: string | null;
  readonly isRateLimit: boolean;
}

function hintFor(
  status: number,
  { name, address, settings }: ServiceNames,
  { text, requestId, isRateLimit }: RefusalFacts,
): string {
  const log = requestId === null ? `${name}'s log` : `${name}'s log for ${requestId}`;
  if (status === 401) return `Check that ${name} uses the Keystone of ${settings}, and look into ${log}.`;
  if (status === 403) return `Give the user of ${settings} the role that ${name}'s policy asks for.`;
  if (codeOf(status) === 'OPENSTACK_NOT_FOUND') {
    return `Check the id, that the user of ${settings} may see it, and ${address}.`;
  }
  if (isRateLimit) return `${name} limits the rate of requests; try again later.`;
  if (status === 413) return 'Raise the quota of the project, or free some of it.';
  if (status >= 500) return `Look into ${log}.`;
  // Cinder leaves the volumes of instances to services.
  if (text.includes('ConflictNovaUsingAttachment')) return `Give the user of ${settings} the role "service".`;
  return `Act on what ${name} says, then try again.`;
}

interface Part {
  readonly message: string;
}

/** What says something in the body of an error: `{"badRequest": {"code", "message"}}`, `{"error": {…}}`, or with Glance the body itself. */
function partsOf(body: unknown): readonly Part[] {
  const objects = isObject(body) ? [...Object.values(body).filter(isObject), body] : [];
  return objects.filter((object): object is Part & typeof object => typeof object['message'] === 'string');
}

/** Errors of remote procedures carry a traceback behind the message, those of Glance marks of HTML. */
function messageOf(body: unknown, secrets: readonly Secret[]): string {
  const [text = ''] = partsOf(body)[0]?.message.split('\nTraceback') ?? [];
  return oneLine(text.slice(0, maxSearched).replaceAll('<br />', ' ').replaceAll(credential, `$1${MASK}`), secrets);
}

/** Far more than a message shows: searching megabytes would stop the process. */
const maxSearched = 10_000;

/** A value that a service quotes behind the name of a credential, as in `'auth_password': 'x'`. */
const credential = /((?:passw\w*|secret|token)['"]?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,}]+)/gi;

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
