import {
  openStackSettings,
  readOpenStackSettings,
  type EndpointOptions,
  type SessionOptions,
} from '@ironbark/openstack';
import { z } from 'zod';
import type { CinderStorageOptions } from './cinder-storage.ts';

export interface CinderOptions {
  readonly session: SessionOptions;
  readonly endpoint: EndpointOptions;
  readonly storage: CinderStorageOptions;
}

const { timeout: _timeout, ...keystone } = openStackSettings;

/** Section `cinder` of the settings. */
export const cinderConfig = z
  .strictObject({
    ...keystone,
    url: openStackSettings.endpoint_override.describe(
      'URL of the Block Storage API instead of the one in the catalogue; the same as endpoint_override.',
    ),
    url_timeout: z.number().min(0.1).max(3600).default(30).describe('Seconds for the answer to one request.'),
    retries: z
      .int()
      .min(0)
      .max(20)
      .default(3)
      .describe('How often a request that is safe to repeat is repeated when Cinder or Keystone fails.'),
    auth_strategy: z
      .enum(['keystone', 'noauth'])
      .default('keystone')
      .describe('"noauth" for a Cinder without Keystone; it needs url.'),
    toggle_attachments_with_power: z
      .boolean()
      .default(true)
      .describe(
        'Whether volumes of an active node are released when it is powered off and attached when it is powered on. False: they stay attached until it is undeployed.',
      ),
    attachment_api: z
      .enum(['auto', 'attachments', 'volume-actions'])
      .default('auto')
      .describe(
        'How volumes are attached: by attachments (microversion 3.44), or by actions on the volume. "auto": by attachments where the service has them.',
      ),
    action_retries: z.int().min(0).max(20).default(3).describe('How often the release of a volume is tried again.'),
    action_retry_interval: z
      .number()
      .min(0.001)
      .max(300)
      .default(5)
      .describe(
        'Seconds before the release of a volume is tried again; each further wait is twice as long, up to 300.',
      ),
  })
  .prefault({})
  .transform((section, context): CinderOptions => {
    const { url, endpoint_override: override, url_timeout: timeout, retries, ...rest } = section;
    if (url !== undefined && override !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['url'],
        message: 'says the same as endpoint_override: give one of them',
      });
    }
    const options = readOpenStackSettings(
      { ...rest, endpoint_override: url ?? override, timeout },
      { usesKeystone: section.auth_strategy === 'keystone', report: (issue) => context.addIssue(issue) },
    );
    if (options === undefined) return z.NEVER;
    const { session, endpoint } = options;
    return {
      session: { ...session, patience: { ...session.patience, attempts: retries + 1 } },
      endpoint,
      storage: {
        followsPower: section.toggle_attachments_with_power,
        attachmentApi: section.attachment_api,
        actionRetries: section.action_retries,
        actionRetryIntervalMs: section.action_retry_interval * 1000,
        settleMs: timeout * 1000,
      },
    };
  });
