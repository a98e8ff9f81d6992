import { defaultPatience, type RedfishPatience } from '@ironbark/redfish';
import { z } from 'zod';

export interface RedfishOptions {
  readonly patience: RedfishPatience;
  readonly power: PowerPatience;
}

export interface PowerPatience {
  /** Between two looks at the power state. */
  readonly pollIntervalMs: number;
  /** How often an action is requested when the BMC fails to take it. */
  readonly attempts: number;
}

const seconds = (min: number, max: number) => z.number().min(min).max(max);
const defaultSeconds = (key: Exclude<keyof RedfishPatience, 'attempts'>) => defaultPatience[key] / 1000;

/** Section `redfish` of the settings. */
export const redfishConfig = z
  .strictObject({
    connect_timeout: seconds(0.1, 300)
      .default(defaultSeconds('connectTimeoutMs'))
      .describe('Seconds for the TCP and TLS handshake with a BMC.'),
    request_timeout: seconds(0.1, 600)
      .default(defaultSeconds('requestTimeoutMs'))
      .describe('Seconds for the answer of a BMC to one request.'),
    attempts: z
      .int()
      .min(1)
      .max(20)
      .default(defaultPatience.attempts)
      .describe('How often a request that is safe to repeat is made while the BMC fails or breaks the connection.'),
    retry_interval: seconds(0.001, 60)
      .default(defaultSeconds('retryIntervalMs'))
      .describe(
        'Seconds before the first repetition; each further wait is twice as long. Retry-After of the BMC wins.',
      ),
    power_poll_interval: seconds(0.001, 60).default(2).describe('Seconds between two looks at the power state.'),
    setting_timeout: seconds(0.01, 600)
      .default(defaultSeconds('settleTimeoutMs'))
      .describe('Seconds that a BMC may take to show a boot setting or an image that it has accepted.'),
    setting_poll_interval: seconds(0.001, 60)
      .default(defaultSeconds('pollIntervalMs'))
      .describe('Seconds between two looks at a setting or a task.'),
    task_timeout: seconds(0.01, 3600)
      .default(defaultSeconds('taskTimeoutMs'))
      .describe('Seconds that a Redfish task may take.'),
  })
  .prefault({})
  .transform((section): RedfishOptions => {
    return {
      patience: {
        connectTimeoutMs: section.connect_timeout * 1000,
        requestTimeoutMs: section.request_timeout * 1000,
        attempts: section.attempts,
        retryIntervalMs: section.retry_interval * 1000,
        settleTimeoutMs: section.setting_timeout * 1000,
        pollIntervalMs: section.setting_poll_interval * 1000,
        taskTimeoutMs: section.task_timeout * 1000,
      },
      power: { pollIntervalMs: section.power_poll_interval * 1000, attempts: section.attempts },
    };
  });
