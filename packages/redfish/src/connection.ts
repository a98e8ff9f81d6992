import type { Secret } from '@ironbark/core';

/** How one BMC is reached. */
export interface RedfishConnection {
  /** Origin of the service, as {@link parseBmcAddress} gives it. */
  readonly address: string;
  /** Null: no authentication. */
  readonly credentials: RedfishCredentials | null;
  /** `auto`: a session, or basic authentication when the BMC has no session to give. */
  readonly authType: RedfishAuthType;
  /** True: by the CAs that Node trusts; a path: by the certificates in this PEM file alone; false: not verified at all. */
  readonly verifyCa: boolean | string;
}

export interface RedfishCredentials {
  readonly username: string;
  readonly password: Secret;
}

export const redfishAuthTypes = ['auto', 'session', 'basic'] as const;
export type RedfishAuthType = (typeof redfishAuthTypes)[number];

/** How patient the client is. Times are in milliseconds. */
export interface RedfishPatience {
  /** For the TCP and TLS handshake. */
  readonly connectTimeoutMs: number;
  /** For the answer to one request, and once more for its body. */
  readonly requestTimeoutMs: number;
  /** How often a request that is safe to repeat is made. */
  readonly attempts: number;
  /** Pause before the first repetition; each further one is twice as long. `Retry-After` of the BMC wins, up to 30 s. */
  readonly retryIntervalMs: number;
  /** How long a BMC may take until it shows a setting that it has accepted. */
  readonly settleTimeoutMs: number;
  /** Between two looks at a setting or a task. */
  readonly pollIntervalMs: number;
  /** How long a Redfish task may take. */
  readonly taskTimeoutMs: number;
}

export const defaultPatience: RedfishPatience = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  attempts: 4,
  retryIntervalMs: 1_000,
  settleTimeoutMs: 30_000,
  pollIntervalMs: 1_000,
  taskTimeoutMs: 300_000,
};
