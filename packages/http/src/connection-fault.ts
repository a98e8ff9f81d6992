import { isTimeoutError } from 'ky';

/** Why a request got no answer. */
export interface ConnectionFault {
  /** Continues a sentence, for example `the connection was refused`. */
  readonly problem: string;
  /** What the operator does next, in the words of the client's own settings. */
  readonly hint: (names: SettingNames) => string;
  /** Whether the same request may be answered later without a change. */
  readonly retryable: boolean;
  /** Whether the service was waited for in vain: to ask once more would cost that time again. */
  readonly timedOut: boolean;
  /**
   * Whether the service may have received the request and done what it asks for. False: certainly not, because no connection came
   * about, at no attempt. True: the connection broke or the answer did not come in time.
   */
  readonly mayHaveArrived: boolean;
  /** Codes of the error and its causes, the outermost first; names of those that have none. For logs. */
  readonly codes: readonly string[];
}

/** How the settings are called that a hint may ask to change. */
export interface SettingNames {
  /** What is asked, as in "the BMC" and "a BMC". */
  readonly service: string;
  readonly address: string;
  /** The setting of the CA file. */
  readonly ca: string;
  /** The setting, and its value, that turns the verification of certificates off. */
  readonly insecure: { readonly setting: string; readonly value: string };
}

type Diagnosis = Omit<ConnectionFault, 'codes' | 'timedOut'>;

const checkAddress = ({ address, service }: SettingNames) =>
  `Check ${address}, the network to the ${service}, and that its web service runs.`;
const tryLater = ({ service }: SettingNames) => `The ${service} may be restarting; try again.`;

const refused: Diagnosis = {
  problem: 'the connection was refused',
  hint: checkAddress,
  retryable: true,
  mayHaveArrived: false,
};
const unreachable: Diagnosis = { ...refused, problem: 'the host cannot be reached' };
const noConnection: Diagnosis = { ...refused, problem: 'the host did not answer in time' };
const noAnswer: Diagnosis = { ...noConnection, mayHaveArrived: true };
const stalled: Diagnosis = { ...noAnswer, problem: 'the answer stopped in the middle' };
const unknownName: Diagnosis = {
  problem: 'the host name does not resolve',
  hint: ({ address }) => `Correct ${address}, or add the name to DNS.`,
  retryable: false,
  mayHaveArrived: false,
};
const broken: Diagnosis = {
  problem: 'the connection broke before the answer was complete',
  hint: tryLater,
  retryable: true,
  mayHaveArrived: true,
};
const untrusted: Diagnosis = {
  problem: 'its TLS certificate is not signed by a trusted CA',
  hint: ({ ca, insecure: { setting, value } }) => {
    const insecure = setting === ca ? value : `${setting} ${value}`;
    return `Set ${ca} to the PEM file of the CA that signed it; ${insecure} turns the check off.`;
  },
  retryable: false,
  mayHaveArrived: false,
};
const outdated: Diagnosis = {
  problem: 'its TLS certificate is not valid today',
  hint: ({ service, insecure: { setting, value } }) =>
    `Renew the certificate or set the ${service}'s clock; ${setting} ${value} ignores it.`,
  retryable: false,
  mayHaveArrived: false,
};
const otherName: Diagnosis = {
  problem: 'its TLS certificate is for another name',
  hint: ({ address }) => `Write the name of the certificate in ${address}, or replace the certificate.`,
  retryable: false,
  mayHaveArrived: false,
};
const noTls: Diagnosis = {
  problem: 'the TLS handshake failed',
  hint: ({ address, service }) =>
    `Check the port in ${address}; a ${service} without TLS needs an address with "http://".`,
  retryable: false,
  mayHaveArrived: false,
};
const noHttp: Diagnosis = {
  problem: 'the answer is not HTTP',
  hint: ({ address }) => `Check scheme and port in ${address}.`,
  retryable: false,
  mayHaveArrived: true,
};
const tooLarge: Diagnosis = { ...noHttp, problem: 'the answer is larger than any resource' };
const unknown: Diagnosis = {
  problem: 'the request could not be made',
  hint: checkAddress,
  retryable: false,
  mayHaveArrived: true,
};

const diagnoses: Readonly<Record<string, Diagnosis>> = {
  ECONNREFUSED: refused,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ETIMEDOUT: noAnswer,
  UND_ERR_CONNECT_TIMEOUT: noConnection,
  UND_ERR_HEADERS_TIMEOUT: noAnswer,
  UND_ERR_BODY_TIMEOUT: stalled,
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

/** Tells from what fetch and ky throw. The error itself has to be left out of what is shown: its message may hold the whole request. */
export function connectionFault(error: unknown): ConnectionFault {
  const codes = codesOf(error);
  const known = codes.map((code) => (code.startsWith('HPE_') ? noHttp : diagnoses[code]));
  const diagnosis = isTimeoutError(error) ? noAnswer : (known.find((found) => found !== undefined) ?? unknown);
  return { ...diagnosis, codes, timedOut: [noAnswer, noConnection, stalled].includes(diagnosis) };
}

/** JSON that breaks off, although the transport was content. */
export const brokenAnswer: ConnectionFault = { ...broken, codes: [], timedOut: false };

function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  for (let cause = error, depth = 0; cause instanceof Error && depth < 6; cause = cause.cause, depth += 1) {
    codes.push('code' in cause && typeof cause.code === 'string' ? cause.code : cause.name);
  }
  return codes;
}
