import {
  createHooks,
  IronbarkError,
  Secret,
  silentLogger,
  timestamp,
  type Logger,
  type Notification,
} from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { createLog } from '../src/log.ts';
import { logNotifications } from '../src/notification-log.ts';

function logged(
  write: (log: Logger) => void,
  options: Parameters<typeof createLog>[0] = { level: 'info', pretty: false },
): string[] {
  const lines: string[] = [];
  write(createLog(options, (line) => lines.push(line)));
  return lines;
}

describe('the log', () => {
  it('holds one JSON object per line', () => {
    const [line = ''] = logged((log) => log.info({ node: 'n-1' }, 'attached'));
    expect(JSON.parse(line)).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      node: 'n-1',
      msg: 'attached',
    });
  });

  it('leaves out what is below its level', () => {
    expect(logged((log) => log.info({}, 'x'), { level: 'warn', pretty: false })).toEqual([]);
  });

  it.each(['err', 'error'])('shows code, hint and cause of an error under %s, without its stack', (key) => {
    const error = new IronbarkError('BMC_FAILURE', 'It broke.', {
      hint: 'Mend it.',
      cause: new IronbarkError('INTERNAL', 'why'),
    });
    const [line = ''] = logged((log) => log.error({ [key]: error }, 'x'));
    expect(JSON.parse(line)).toMatchObject({
      [key]: { code: 'BMC_FAILURE', message: 'It broke.', hint: 'Mend it.', cause: { message: 'why' } },
    });
    expect(line).not.toContain('stack');
  });

  it('shows the stack of a mistake in a program', () => {
    const [line = ''] = logged((log) => log.error({ err: new TypeError('x is undefined') }, 'x'));
    expect(line).toContain('log.test.ts');
  });

  it('masks secrets, in both forms', () => {
    const lines = [false, true].flatMap((pretty) => {
      return logged((log) => log.info({ chap: { password: Secret.of('horse') } }, 'x'), { level: 'info', pretty });
    });
    expect(lines.join('')).not.toContain('horse');
  });

  it('can be written for people', () => {
    expect(
      logged((log) => log.child({ node: 'n-1' }).warn({ lun: 1 }, 'attached'), { level: 'info', pretty: true }),
    ).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}attached node=n-1 lun=1\n$/)]);
  });
});

describe('notifications in the log', () => {
  const event = (priority: Notification['priority']): Notification => {
    return {
      messageId: 'm-1',
      publisherId: 'ironbark-conductor.c-1',
      eventType: 'baremetal.node.power_set.end',
      priority,
      timestamp: timestamp(),
      payload: {
        name: 'NodeSetPowerStatePayload',
        version: '1.0',
        data: { driver_info: { password: Secret.of('horse') } },
      },
    };
  };

  async function notified(options: { readonly log: boolean; readonly level: 'info' | 'warning' | 'error' }) {
    const hooks = createHooks();
    const lines: string[] = [];
    logNotifications(
      hooks,
      options,
      createLog({ level: 'info', pretty: false }, (line) => lines.push(line)),
    );
    for (const priority of ['INFO', 'WARNING', 'ERROR'] as const) await hooks.notification.promise(event(priority));
    return lines.map((line) => JSON.parse(line) as { readonly level: number });
  }

  it.each([
    ['info', [30, 40, 50]],
    ['warning', [40, 50]],
    ['error', [50]],
  ] as const)('from level %s on have the levels %j', async (level, levels) => {
    expect((await notified({ log: true, level })).map((line) => line.level)).toEqual(levels);
  });

  it('carry event and payload with secrets masked', async () => {
    const [line] = await notified({ log: true, level: 'info' });
    expect(line).toMatchObject({
      notification: 'baremetal.node.power_set.end',
      payload: { name: 'NodeSetPowerStatePayload', data: { driver_info: { password: '******' } } },
    });
  });

  it('are left out unless they are asked for', () => {
    const hooks = createHooks();
    logNotifications(hooks, { log: false, level: 'info' }, silentLogger);
    expect(hooks.notification.isUsed()).toBe(false);
  });
});
