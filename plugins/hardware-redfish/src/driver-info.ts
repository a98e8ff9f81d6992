import { access, constants } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import {
  invalidParameter,
  IronbarkError,
  isSecret,
  revealText,
  Secret,
  type InfoValue,
  type Node,
  type PropertyDescriptions,
} from '@ironbark/core';
import {
  parseBmcAddress,
  redfishAuthTypes,
  type RedfishAuthType,
  type RedfishConnection,
  type RedfishCredentials,
} from '@ironbark/redfish';

/** The keys of driver_info that say where a machine's BMC is. They are those of the Bare Metal service. */
export const redfishProperties: PropertyDescriptions = {
  redfish_address: {
    description:
      'Address of the BMC: host, host:port or URL; https when no scheme is given. IPv6 addresses in brackets.',
    required: true,
  },
  redfish_system_id: {
    description:
      'The system of the BMC: its path (/redfish/v1/Systems/1), the last part of the path, or its UUID. May be left out when the BMC has exactly one.',
  },
  redfish_username: { description: 'User of the BMC. May be left out for a BMC that asks for none.' },
  redfish_password: { description: 'Password of redfish_username.' },
  redfish_verify_ca: {
    description:
      'How the TLS certificate of the BMC is verified. true (the default): against the CAs of the conductor; a path: against the CAs in this PEM file on the conductor; false: not at all.',
  },
  redfish_auth_type: {
    description:
      'session, basic or auto (the default): a session, or basic authentication when the BMC has no session to give.',
  },
};

export interface RedfishDriverInfo {
  readonly connection: RedfishConnection;
  /** Null: the only system of the BMC. */
  readonly systemId: string | null;
}

interface Problem {
  readonly kind: 'missing' | 'malformed';
  /** Begins with the key. */
  readonly text: string;
  readonly hint: string;
}

/**
 * Reads the Redfish keys of a node's driver_info.
 * @throws MISSING_PARAMETER or INVALID_PARAMETER naming every key that is wrong, and what to write.
 */
export function parseDriverInfo(node: Node): RedfishDriverInfo {
  const problems: Problem[] = [];
  const info = node.driverInfo;
  const address = readAddress(info['redfish_address'], problems);
  const systemId = readSystemId(info['redfish_system_id'], problems);
  const credentials = readCredentials(info['redfish_username'], info['redfish_password'], problems);
  const verifyCa = readVerifyCa(info['redfish_verify_ca'], problems);
  const authType = readAuthType(info['redfish_auth_type'], problems);
  if ((authType === 'session' || authType === 'basic') && credentials === null && problems.length === 0) {
    const text = `redfish_username is missing although redfish_auth_type is ${authType}`;
    problems.push({
      kind: 'missing',
      text,
      hint: 'Set redfish_username and redfish_password, or remove redfish_auth_type.',
    });
  }
  if (problems.length > 0) throw fault(node, problems);
  return { connection: { address, credentials, verifyCa, authType }, systemId };
}

/** As {@link parseDriverInfo}; also checks that the CA file can be read. Does not contact the BMC. */
export async function validateDriverInfo(node: Node): Promise<void> {
  const { verifyCa } = parseDriverInfo(node).connection;
  if (typeof verifyCa !== 'string') return;
  try {
    await access(verifyCa, constants.R_OK);
  } catch (error) {
    throw invalidParameter(
      `driver_info of node ${node.uuid}: redfish_verify_ca names ${verifyCa}, which cannot be read.`,
      {
        hint: 'Put the PEM file there on the conductor, readable for it, or correct redfish_verify_ca.',
        cause: error,
      },
    );
  }
}

function fault(node: Node, problems: readonly Problem[]): IronbarkError {
  const code = problems.every(({ kind }) => kind === 'missing') ? 'MISSING_PARAMETER' : 'INVALID_PARAMETER';
  const texts = problems.map(({ text }) => text).join('; ');
  return new IronbarkError(code, `driver_info of node ${node.uuid}: ${texts}.`, {
    hint: problems.map(({ hint }) => hint).join(' '),
  });
}

function isMissing(value: InfoValue | undefined): value is undefined | null | '' {
  return value === undefined || value === null || value === '';
}

const addressHint =
  'Set redfish_address to a host or URL such as "https://bmc.example" or "https://[2001:db8::1]:8443".';

function readAddress(value: InfoValue | undefined, problems: Problem[]): string {
  if (isMissing(value)) {
    problems.push({ kind: 'missing', text: 'redfish_address is missing', hint: addressHint });
    return '';
  }
  const address = typeof value === 'string' ? parseBmcAddress(value) : undefined;
  if (address !== undefined) return address;
  // The text may hold a password before an "@".
  const text = 'redfish_address is no host and no plain http or https URL (no user, no path)';
  problems.push({ kind: 'malformed', text, hint: addressHint });
  return '';
}

const systemIdForm = /^(?:\/redfish\/v1\/)?[^\s?#\\]+$/;

function readSystemId(value: InfoValue | undefined, problems: Problem[]): string | null {
  if (isMissing(value)) return null;
  if (typeof value === 'string' && systemIdForm.test(value) && isInsideService(value)) return value;
  problems.push({
    kind: 'malformed',
    text: `redfish_system_id is ${show(value)}, which is neither a path under /redfish/v1/ nor an id`,
    hint: 'Set redfish_system_id to a path such as "/redfish/v1/Systems/1" or to the UUID of the system.',
  });
  return null;
}

function isInsideService(systemId: string): boolean {
  const isPath = systemId.startsWith('/redfish/v1/');
  return isPath ? !systemId.split('/').includes('..') : !systemId.includes('/');
}

function readCredentials(
  username: InfoValue | undefined,
  password: InfoValue | undefined,
  problems: Problem[],
): RedfishCredentials | null {
  if (isMissing(username) && isMissing(password)) return null;
  const user = revealText(username);
  const text = revealText(password);
  for (const [key, other, value, read] of [
    ['redfish_username', 'redfish_password', username, user],
    ['redfish_password', 'redfish_username', password, text],
  ] as const) {
    if (isMissing(value)) {
      problems.push({ kind: 'missing', text: `${key} is missing although ${other} is set`, hint: `Set ${key}.` });
    } else if (read === undefined) {
      problems.push({ kind: 'malformed', text: `${key} is not text`, hint: `Set ${key} to a string.` });
    }
  }
  if (user === undefined || text === undefined) return null;
  return { username: user, password: isSecret(password) ? password : Secret.of(text) };
}

const yes = new Set(['1', 't', 'true', 'on', 'y', 'yes']);
const no = new Set(['0', 'f', 'false', 'off', 'n', 'no']);

function readVerifyCa(value: InfoValue | undefined, problems: Problem[]): boolean | string {
  if (isMissing(value)) return true;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    const word = value.toLowerCase();
    if (yes.has(word) || no.has(word)) return yes.has(word);
    if (isAbsolute(value) && !value.includes('\0')) return value;
  }
  problems.push({
    kind: 'malformed',
    text: `redfish_verify_ca is ${show(value)}, which is neither a boolean nor an absolute path`,
    hint: 'Set redfish_verify_ca to true, to false, or to the absolute path of a PEM file on the conductor.',
  });
  return true;
}

function readAuthType(value: InfoValue | undefined, problems: Problem[]): RedfishAuthType {
  if (isMissing(value)) return 'auto';
  const found = redfishAuthTypes.find((type) => type === value);
  if (found !== undefined) return found;
  problems.push({
    kind: 'malformed',
    text: `redfish_auth_type is ${show(value)}`,
    hint: 'Set redfish_auth_type to "auto", "session" or "basic".',
  });
  return 'auto';
}

function show(value: InfoValue): string {
  return JSON.stringify(value).slice(0, 100);
}
