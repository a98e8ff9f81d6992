import type { IncomingHttpHeaders } from 'node:http';
import { IronbarkError } from '@ironbark/core';
import { versionRange } from './microversion-table.ts';

export const versionHeader = 'x-openstack-ironic-api-version';
export const minVersion = `1.${versionRange.min}`;
export const maxVersion = `1.${versionRange.max}`;

/** Version headers that every response has, whatever was negotiated. */
export const limitHeaders: Readonly<Record<string, string>> = {
  'x-openstack-ironic-api-minimum-version': minVersion,
  'x-openstack-ironic-api-maximum-version': maxVersion,
};

/** All version headers of a response, by the second number of the negotiated version. */
export const versionHeaders: readonly Readonly<Record<string, string>>[] = Array.from(
  { length: versionRange.max + 1 },
  (_, minor) => ({
    ...limitHeaders,
    [versionHeader]: `1.${minor}`,
    'openstack-api-version': `baremetal 1.${minor}`,
    vary: 'OpenStack-API-Version, X-OpenStack-Ironic-API-Version',
  }),
);

const serviceVersion = /(?:^|,)\s*baremetal\s+([^\s,]+)\s*(?:,|$)/i;
const versionPattern = /^(\d{1,4})\.(\d{1,4})$/;

/**
 * Reads the version that a request asks for: `OpenStack-API-Version: baremetal 1.N` or else `X-OpenStack-Ironic-API-Version: 1.N`.
 * @returns its second number; that of the oldest version when the request names none.
 * @throws NOT_ACCEPTABLE when the version is malformed or not supported.
 */
export function negotiateVersion(headers: IncomingHttpHeaders): number {
  const requested = requestedVersion(headers);
  if (requested === undefined) return versionRange.min;
  if (requested.toLowerCase() === 'latest') return versionRange.max;
  const match = versionPattern.exec(requested);
  if (match === null) throw versionError(`Invalid value for the ${versionHeader} header. ${supportedRange}`);
  const minor = Number(match[2]);
  if (match[1] !== '1')
    throw versionError(
      `Mutually exclusive versions requested. Version ${requested} requested but not supported by this service. ${supportedRange}`,
    );
  if (minor < versionRange.min || minor > versionRange.max)
    throw versionError(
      `Version ${requested} was requested but the minor version is not supported by this service. ${supportedRange}`,
    );
  return minor;
}

const supportedRange = `The supported version range is: [${minVersion}, ${maxVersion}].`;

function requestedVersion(headers: IncomingHttpHeaders): string | undefined {
  const standard = headers['openstack-api-version'];
  if (typeof standard === 'string') {
    const match = serviceVersion.exec(standard);
    if (match !== null) return match[1];
  }
  const own = headers[versionHeader];
  return typeof own === 'string' ? own.trim() : undefined;
}

/** Marks the errors whose body has the form that clients expect from version negotiation. */
const negotiation = { negotiation: true };

function versionError(message: string): IronbarkError {
  return new IronbarkError('NOT_ACCEPTABLE', message, { details: negotiation });
}

export function isNegotiationError(error: IronbarkError): boolean {
  return error.details === negotiation;
}

/** What a client gets that uses something which its API version does not have yet. */
export function notAcceptable(what: string, since: number): IronbarkError {
  const hint = `${what} needs API version 1.${since} or newer.`;
  return new IronbarkError('NOT_ACCEPTABLE', 'Request not acceptable.', { hint });
}

/** @throws NOT_ACCEPTABLE naming the first key that the version does not have yet. */
export function rejectNewer(
  keys: Iterable<string>,
  versions: Readonly<Record<string, number>>,
  minor: number,
  kind: string,
): void {
  for (const key of keys) {
    const since = versions[key];
    if (since !== undefined && minor < since) throw notAcceptable(`The ${kind} "${key}"`, since);
  }
}

/** Keys of a table that a version does not have yet, worked out once per version. */
export function hiddenFields(versions: Readonly<Record<string, number>>): (minor: number) => readonly string[] {
  const cache: (readonly string[] | undefined)[] = [];
  return (minor) =>
    (cache[minor] ??= Object.entries(versions)
      .filter(([, since]) => minor < since)
      .map(([name]) => name));
}
