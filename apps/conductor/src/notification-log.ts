import type { Hooks, Logger } from '@ironbark/core';
import type { Config } from './config/load.ts';

const ranks = { INFO: 0, WARNING: 1, ERROR: 2 } as const;
const methods = { INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const;

/** Writes notifications to the log; secrets in them print masked. */
export function logNotifications(hooks: Hooks, { log: isOn, level }: Config['notifications'], log: Logger): void {
  if (!isOn) return;
  const least = ranks[level.toUpperCase() as keyof typeof ranks];
  hooks.notification.tap('log', ({ priority, eventType, publisherId, messageId, payload }) => {
    if (ranks[priority] < least) return;
    log[methods[priority]]({ notification: eventType, publisherId, messageId, payload }, 'notification');
  });
}
