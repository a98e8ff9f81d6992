import type { CinderStorageOptions } from '../../src/index.ts';

/** Options under which nothing takes long. */
export const quickOptions: CinderStorageOptions = {
  followsPower: true,
  attachmentApi: 'auto',
  actionRetries: 2,
  actionRetryIntervalMs: 1,
  settleMs: 2,
};
