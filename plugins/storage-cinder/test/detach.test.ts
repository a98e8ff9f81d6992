import { explain } from '@ironbark/core';
import { createVolumeConnector, fixedUuid } from '@ironbark/driver-testkit/fakes';
import { ServiceError } from '@ironbark/openstack';
import { describe, expect, it } from 'vitest';
import { CinderBench } from './support/bench.ts';
import { failed, lostAnswer, refused } from './support/memory-block-storage.ts';

const { signal } = new AbortController();
const instanceUuid = fixedUuid(9, 1);

async function attached(options: ConstructorParameters<typeof CinderBench>[0] = {}): Promise<CinderBench> {
  const bench = new CinderBench(options);
  await bench.attach();
  bench.changes();
  bench.outcomes.splice(0);
  return bench;
}

describe('detaching', () => {
  it('deletes the attachment, and the mark at the end of the life of the instance', async () => {
    const bench = await attached();
    await bench.detach(bench.nodeTask({ provisionState: 'deleting' }));
    expect(bench.changes()).toEqual(['deleteAttachment', 'deleteVolumeMetadata']);
    expect([bench.service.leaks(), bench.journal.notes().size]).toEqual([[], 0]);
  });

  it('marks the volume of an active node as detached', async () => {
    const bench = await attached();
    await bench.detach(bench.nodeTask({ provisionState: 'active' }));
    const { [`ironic_node_${bench.nodeUuid}`]: text = '' } =
      bench.service.volumes.get(bench.volumeId())?.metadata ?? {};
    expect(JSON.parse(text)).toMatchObject({ last_action: 'detached' });
  });

  it('removes the mark of a volume that was released before, when the node is undeployed', async () => {
    const bench = await attached();
    await bench.detach(bench.nodeTask({ provisionState: 'active' }));
    await bench.detach(bench.nodeTask({ provisionState: 'deleting' }));
    expect(bench.service.volumes.get(bench.volumeId())?.metadata).toEqual({});
  });

  it('looks again, and does not believe an answer', async () => {
    const bench = await attached();
    bench.service.ignoresRelease.add(bench.volumeId());
    const error = await bench.detach().catch((reason: unknown) => reason);
    expect(explain(error)).toMatch(/may still be attached\. Volume .*: Cinder accepted the release, but/);
    expect([...bench.journal.notes().keys()]).toEqual([`attachment:${bench.volumeId()}`]);
  });

  it('tries again as often as it may', async () => {
    const bench = await attached({ actionRetries: 2 });
    for (let count = 0; count < 2; count += 1) bench.service.fail('deleteAttachment', 'before', failed('busy'));
    await bench.detach();
    expect(bench.changes().filter((name) => name === 'deleteAttachment')).toHaveLength(3);
  });

  it('gives up after that with what Cinder said last', async () => {
    const bench = await attached({ actionRetries: 1 });
    for (let count = 0; count < 2; count += 1)
      bench.service.fail('deleteAttachment', 'before', failed(`busy ${count}`));
    await expect(bench.detach()).rejects.toThrow(`Volume ${bench.volumeId()}: busy 1`);
    const error = expect.stringMatching(/^busy 1/) as string;
    expect(bench.outcomes).toMatchObject([{ result: 'failed', error }]);
  });

  it('does not repeat what credentials do not allow', async () => {
    const bench = await attached();
    const forbidden = new ServiceError('OPENSTACK_FORBIDDEN', 'not yours', { httpStatus: 403, mayHaveActed: false });
    bench.service.fail('deleteAttachment', 'before', forbidden);
    await expect(bench.detach()).rejects.toThrow('not yours');
    expect(bench.changes()).toEqual(['deleteAttachment']);
  });

  it.each([409, 500])('names the role that the user may lack, when Cinder answers %i', async (httpStatus) => {
    const bench = await attached({ actionRetries: 0 });
    bench.service.fail('deleteAttachment', 'before', refused('Detach volume using the Compute API', httpStatus));
    const error = await bench.detach().catch((reason: unknown) => reason);
    expect(explain(error)).toMatch(/using the Compute API\. .*the user of settings\.cinder the role service/);
  });

  it('waits longer before each repetition', async () => {
    const bench = await attached({ actionRetries: 3 });
    for (let count = 0; count < 3; count += 1) bench.service.fail('deleteAttachment', 'before', failed('busy'));
    await bench.detach();
    const waits = bench.log.lines.map(({ facts }) => ('waitMs' in facts ? facts.waitMs : undefined));
    expect(waits).toEqual([1, 2, 4]);
  });

  it('counts a volume that does not exist any more as released', async () => {
    const bench = await attached({ volumes: 2 });
    bench.service.deleteVolume(bench.volumeId(0));
    await bench.detach();
    expect(bench.outcomes.map(({ result }) => result).toSorted()).toEqual(['absent', 'released']);
    expect(bench.journal.notes().size).toBe(0);
  });

  it('makes nothing for a volume that somebody else has released', async () => {
    const bench = await attached();
    bench.service.attachments.clear();
    bench.service.addVolume(bench.volumeId());
    await bench.detach();
    expect([bench.changes(), bench.journal.notes().size]).toEqual([[], 0]);
  });

  it('does not take a volume for gone that the user may not see any more', async () => {
    const bench = await attached();
    bench.service.volumes.delete(bench.volumeId());
    await expect(bench.detach()).rejects.toThrow(/shows no volume .*, but an attachment of it: a77ac4ed/);
    expect(bench.journal.notes().size).toBe(1);
  });

  it('finds the attachments of an instance that the node has forgotten', async () => {
    const bench = new CinderBench();
    await bench.attach(bench.nodeTask({ instanceUuid }));
    await bench.detach(bench.nodeTask({ instanceUuid: null }, { volumeTargets: [] }));
    expect(bench.service.leaks()).toEqual([]);
  });

  it('finds attachments of the instance that the journal does not know', async () => {
    const bench = new CinderBench();
    const { id } = await bench.service.createAttachment(bench.volumeId(), instanceUuid, signal);
    await bench.service.updateAttachment(id, { host: '192.0.2.77' }, signal);
    await bench.service.completeAttachment(id, signal);
    await bench.detach(bench.nodeTask({ instanceUuid }));
    expect(bench.service.leaks()).toEqual([]);
  });

  it('finds what was adopted when the node has forgotten the instance since', async () => {
    const bench = new CinderBench();
    const { id } = await bench.service.createAttachment(bench.volumeId(), instanceUuid, signal);
    await bench.service.updateAttachment(id, { host: '192.0.2.77' }, signal);
    await bench.service.completeAttachment(id, signal);
    await bench.attach(bench.nodeTask({ instanceUuid }));
    await bench.detach(bench.nodeTask({ instanceUuid: null }, { volumeTargets: [] }));
    expect(bench.service.leaks()).toEqual([]);
  });

  it('leaves the attachments of others alone', async () => {
    const bench = new CinderBench();
    bench.service.addVolume(bench.volumeId(), { multiattach: true });
    const { id } = await bench.service.createAttachment(bench.volumeId(), fixedUuid(9, 2), signal);
    await bench.service.updateAttachment(id, { host: 'compute-7' }, signal);
    await bench.service.completeAttachment(id, signal);
    await bench.attach();
    await bench.detach();
    expect([...bench.service.attachments.keys()]).toEqual([id]);
    expect(bench.service.volumes.get(bench.volumeId())).toMatchObject({ status: 'in-use', isExported: true });
  });

  it('ignores a target whose volume_id is none: it was never attached', async () => {
    const bench = new CinderBench();
    const volumeTargets = bench.records.volumeTargets.map((target) => ({ ...target, volumeId: '../x' }));
    await bench.detach(bench.task({ volumeTargets }));
    expect(bench.service.calls).toEqual([]);
  });

  it('deletes reservations before what is connected, which Cinder then stops to export', async () => {
    const bench = await attached();
    await bench.service.createAttachment(bench.volumeId(), bench.nodeUuid, signal);
    await bench.detach();
    expect(bench.service.leaks()).toEqual([]);
  });

  it('does not need the connectors of the node', async () => {
    const bench = await attached({ attachmentApi: 'volume-actions' });
    const connectors: unknown[] = [];
    const { service } = bench;
    const terminate = service.terminateConnection.bind(service);
    service.terminateConnection = (id, connector, stop) => {
      connectors.push(connector);
      return terminate(id, connector, stop);
    };
    await bench.detach(bench.task({ volumeConnectors: [createVolumeConnector({ connectorId: 'broken' })] }));
    expect(connectors).toEqual([{ host: bench.nodeUuid, initiator: 'iqn.2017-08.org.example:node-0' }]);
  });

  it('stops at once when its signal is aborted while it waits, which is never more than five minutes', async () => {
    const bench = await attached({ actionRetryIntervalMs: 600_000 });
    const controller = new AbortController();
    bench.service.fail('deleteAttachment', 'before', failed('busy'));
    const reason = new Error('the conductor is shutting down');
    const detach = bench.detach(bench.task({ signal: controller.signal }));
    await expect.poll(() => bench.log.lines).toMatchObject([{ facts: { waitMs: 300_000 } }]);
    controller.abort(reason);
    await expect(detach).rejects.toBe(reason);
  });
});

describe('detaching by volume actions', () => {
  const options = { attachmentApi: 'volume-actions' } as const;

  it('begins, ends the connection and detaches the attachment', async () => {
    const bench = await attached(options);
    await bench.detach(bench.nodeTask({ provisionState: 'active' }));
    expect(bench.changes()).toEqual(['beginDetaching', 'terminateConnection', 'detach', 'setVolumeMetadata']);
    expect(bench.service.leaks()).toEqual([]);
  });

  it.each(['beginDetaching', 'terminateConnection', 'detach'] as const)('recovers when %s fails once', async (call) => {
    for (const moment of ['before', 'after'] as const) {
      for (const error of [lostAnswer(), failed('busy')]) {
        const bench = await attached(options);
        bench.service.fail(call, moment, error);
        await bench.detach();
        expect(bench.service.leaks()).toEqual([]);
      }
    }
  });

  it.each(['beginDetaching', 'terminateConnection'] as const)(
    'waits for %s when its answer is lost, which would cut the next attachment if it came late',
    async (call) => {
      const bench = await attached({ ...options, settleMs: 20 });
      bench.service.fail(call, 'before');
      await bench.detach();
      const waits = bench.log.lines.filter(({ message }) => message.startsWith('waiting for a request'));
      expect(waits).toHaveLength(1);
      expect(bench.journal.notes().size).toBe(0);
    },
  );

  it('does not leave the volume detaching when it gives up', async () => {
    const bench = await attached({ ...options, actionRetries: 0 });
    bench.service.fail('terminateConnection', 'before', failed('busy'));
    await expect(bench.detach()).rejects.toThrow('busy');
    expect(bench.service.volumes.get(bench.volumeId())?.status).toBe('in-use');
  });

  it('finishes what an earlier detach has begun', async () => {
    const bench = await attached(options);
    await bench.service.beginDetaching(bench.volumeId(), signal);
    bench.changes();
    await bench.detach();
    expect(bench.changes()).not.toContain('beginDetaching');
    expect(bench.service.leaks()).toEqual([]);
  });

  it('does not cut the connection of another machine to the same volume', async () => {
    const bench = new CinderBench(options);
    bench.service.addVolume(bench.volumeId(), { multiattach: true });
    await bench.attach();
    await bench.service.reserve(bench.volumeId(), signal);
    await bench.service.attach(bench.volumeId(), fixedUuid(9, 2), 'x', signal);
    await bench.detach();
    expect(bench.service.volumes.get(bench.volumeId())).toMatchObject({ status: 'in-use', isExported: true });
    expect(bench.service.attachmentsOf(bench.volumeId())).toHaveLength(1);
  });

  it('does not claim what attachments have made for somebody else, whatever the journal expects', async () => {
    const bench = new CinderBench({ ...options, actionRetries: 0 });
    for (let count = 0; count < 2; count += 1) bench.service.fail('reserve', 'before');
    await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    const { id } = await bench.service.createAttachment(bench.volumeId(), fixedUuid(9, 2), signal);
    await bench.service.updateAttachment(id, { host: 'compute-7' }, signal);
    bench.changes();
    await bench.detach();
    expect(bench.changes()).toEqual([]);
  });

  it('does not claim a reservation that the journal does not know', async () => {
    const bench = new CinderBench(options);
    await bench.service.reserve(bench.volumeId(), signal);
    bench.changes();
    await bench.detach();
    expect(bench.changes()).toEqual([]);
  });

  it('ends what the other protocol has attached by that protocol', async () => {
    const bench = await attached();
    await bench.detach();
    expect(bench.changes()).toContain('deleteAttachment');
    const other = new CinderBench(options);
    const { id } = await other.service.createAttachment(other.volumeId(), other.nodeUuid, signal);
    await other.service.updateAttachment(id, { host: other.nodeUuid }, signal);
    await other.service.completeAttachment(id, signal);
    other.changes();
    await other.detach();
    expect(other.changes()).toContain('deleteAttachment');
  });
});

describe('after a conductor died', () => {
  /** A node whose conductor died while Cinder was at its last request. */
  async function interrupted(settleMs: number): Promise<CinderBench> {
    const bench = new CinderBench({ settleMs });
    const died = Promise.withResolvers<void>();
    bench.service.onCreate = async (moment) => {
      if (moment === 'before') return;
      died.resolve();
      await new Promise<never>(() => {});
    };
    void bench.attach();
    await died.promise;
    bench.service.onCreate = () => Promise.resolve();
    return bench;
  }

  it('its last request may still be under way: a detach waits for it', async () => {
    const bench = await interrupted(40);
    const startedAt = performance.now();
    await bench.detach();
    expect(performance.now() - startedAt).toBeGreaterThan(25);
    expect([bench.service.leaks(), bench.journal.notes().size]).toEqual([[], 0]);
  });

  it('no wait is longer than a request takes when the clock has been set back meanwhile', async () => {
    const bench = await interrupted(5);
    const [[key, note] = []] = bench.journal.notes();
    await bench.journal.put(key ?? '', { ...(note as object), askedAt: Date.now() + 3_600_000 });
    await bench.detach();
    expect(bench.service.leaks()).toEqual([]);
  });

  it('a note about which nothing more is to be done is the last that goes', async () => {
    const bench = new CinderBench();
    bench.service.fail('createAttachment', 'before');
    await bench.attach();
    const { journal } = bench;
    const forget = journal.delete.bind(journal);
    const left: (readonly string[])[] = [];
    journal.delete = async (key) => {
      await forget(key);
      left.push([...journal.notes().keys()]);
    };
    await bench.detach();
    expect(left).toEqual([[`attachment:${bench.volumeId()}`], []]);
  });

  it('what is attached is released at once', async () => {
    const bench = await attached({ settleMs: 60_000 });
    await bench.detach();
    expect(bench.service.leaks()).toEqual([]);
  });
});

describe('a request whose answer was lost', () => {
  it('is waited for before anything is taken back', async () => {
    const bench = new CinderBench({ settleMs: 20 });
    bench.service.fail('updateAttachment', 'before');
    const startedAt = performance.now();
    await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    expect(performance.now() - startedAt).toBeGreaterThan(15);
  });

  it.each([
    ['attachments', 'updateAttachment'],
    ['volume-actions', 'initializeConnection'],
  ] as const)(
    'by %s does no harm when it is carried out after everything was taken back',
    async (attachmentApi, call) => {
      const bench = new CinderBench({ attachmentApi });
      bench.service.fail(call, 'before');
      await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      bench.changes();
      await bench.detach(bench.nodeTask({ provisionState: 'deploying' }));
      expect(bench.changes()).not.toContain(call);
      Object.assign(bench.service.volumes.get(bench.volumeId()) ?? {}, { isExported: true });
      await bench.detach(bench.nodeTask({ provisionState: 'deleting' }));
      expect([bench.service.leaks(), bench.journal.notes().size]).toEqual([[], 0]);
    },
  );

  it('is forgotten when somebody else has the volume by now', async () => {
    const bench = new CinderBench();
    bench.service.fail('updateAttachment', 'before');
    await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    await bench.service.createAttachment(bench.volumeId(), fixedUuid(9, 2), signal);
    bench.changes();
    await bench.detach(bench.nodeTask({ provisionState: 'deleting' }));
    expect([bench.changes(), bench.journal.notes().size]).toEqual([[], 0]);
  });

  it('reserves a volume by actions late, and the reservation is known to be ours', async () => {
    const bench = new CinderBench({ attachmentApi: 'volume-actions', actionRetries: 0 });
    for (let count = 0; count < 2; count += 1) bench.service.fail('reserve', 'before');
    await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    await bench.service.reserve(bench.volumeId(), signal);
    await bench.detach(bench.nodeTask({ provisionState: 'deleting' }));
    expect(bench.service.leaks()).toEqual([]);
  });

  it('is forgotten when the volume was attached and released since', async () => {
    const bench = new CinderBench();
    bench.service.fail('createAttachment', 'before');
    await bench.attach();
    bench.changes();
    await bench.detach(bench.nodeTask({ provisionState: 'active' }));
    expect(bench.journal.notes().size).toBe(0);
    expect(bench.changes()).toEqual(['deleteAttachment', 'setVolumeMetadata']);
  });

  it('was refused when Cinder said so: nothing is waited for', async () => {
    const bench = new CinderBench({ settleMs: 60_000 });
    bench.service.fail('updateAttachment', 'before', refused('no'));
    await expect(bench.attach()).rejects.toThrow('no');
    expect([bench.service.leaks(), bench.journal.notes().size]).toEqual([[], 0]);
  });
});
