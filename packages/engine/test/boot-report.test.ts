import { describe, expect, it } from 'vitest';
import { describeBootFailure } from '../src/boot-report.ts';
import { createLab, provision, volumeNode, type Lab } from './fixture.ts';

async function tokenOf(lab: Lab, uuid: string): Promise<string> {
  const token = /\/boot-report\/[^/]+\?token=(\S+)/.exec(lab.bootFiles.get(uuid) ?? '')?.[1];
  if (token === undefined) throw new Error('the boot file holds no token');
  return token;
}

describe('a boot report', () => {
  it('with the token of the boot script becomes last_error and history', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await lab.engine.reportBootFailure(uuid, await tokenOf(lab, uuid), { errno: '410d613c', drive: '0x80' });
    const node = await lab.engine.nodes.get(uuid);
    expect(node).toMatchObject({
      provisionState: 'active',
      lastError: expect.stringContaining('refused the CHAP credentials'),
    });
    expect(await lab.engine.nodes.history(uuid)).toMatchObject([{ event: node.lastError, eventType: 'boot' }]);
  });

  it('with another token is refused like one for a node that does not exist', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    const wrong = await lab.engine.reportBootFailure(uuid, 'x', {}).catch((error: unknown) => error);
    const unknown = await lab.engine
      .reportBootFailure('11111111-1111-4111-8111-111111111111', 'x', {})
      .catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'NOT_FOUND' });
    expect((unknown as Error).message).toBe((wrong as Error).message);
    expect((await lab.engine.nodes.get(uuid)).lastError).toBeNull();
  });

  it('is refused after the instance is gone', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    const token = await tokenOf(lab, uuid);
    await provision(lab, uuid, 'undeploy');
    await expect(lab.engine.reportBootFailure(uuid, token, {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['0x410d613c', 'refused the CHAP credentials'],
    ['0x430d6601', 'demands CHAP credentials'],
    ['0x20d623c', 'mutual CHAP'],
    ['0x2c0d603b', 'does not know this iSCSI name'],
    ['0x1d704039', 'no such LUN'],
    ['0xf0a6039', 'nothing listens there'],
    ['0x4c0a6035', 'did not answer in time'],
    ['0x34852006', 'iBFT'],
    ['0x3c092003', 'lacks the protocol'],
    ['0x3c202083', 'no byte ranges'],
  ])('says what iPXE means by %s', (errno, meaning) => {
    expect(describeBootFailure({ errno })).toContain(meaning);
  });

  it.each([['<script>'], ['0x410d613c\nforged line'], ['${secret}']])(
    'repeats nothing but known forms: %j',
    (errno) => {
      const text = describeBootFailure({ errno, drive: errno });
      expect(text).not.toContain(errno);
      expect(text).toContain('could not load what it boots');
    },
  );
});
