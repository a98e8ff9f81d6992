import type { Node } from '@ironbark/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openFindings } from '../src/index.ts';
import { activeNode, createLab, volumeNode, type Lab } from './fixture.ts';

const stranger = 'ffffffff-0000-4000-8000-000000000000';

/** An active node whose storage service keeps books. */
const deployed = (lab: Lab, powerState: 'power on' | 'power off') => activeNode(lab, powerState, { storage: 'books' });

/** A node without ports and volumes, whose storage service keeps books. */
async function emptyNode(lab: Lab, changes: Partial<Node> = {}): Promise<string> {
  const { uuid } = await lab.engine.nodes.create({ driver: 'test', interfaces: { storage: 'books' } });
  await lab.store.nodes.update(uuid, { provisionState: 'available', powerState: 'power off', ...changes });
  return uuid;
}

async function compare(lab: Lab, ident: string, repair = false) {
  const { nodes, orphans } = await lab.engine.reconcile(ident, { repair });
  return { node: nodes[0], orphans };
}

describe('a comparison of a node with its storage service', () => {
  it('finds nothing where records and service agree, with the machine on or off', async () => {
    const lab = await createLab();
    const uuid = await deployed(lab, 'power on');
    expect((await compare(lab, uuid)).node).toMatchObject({ findings: [], skipped: null, storageInterface: 'books' });
    await lab.engine.power.request(uuid, 'power off', null);
    await lab.engine.idle();
    expect((await compare(lab, uuid)).node?.findings).toEqual([]);
  });

  it('tells what the service holds beyond our records, and changes nothing', async () => {
    const lab = await createLab();
    const uuid = await emptyNode(lab);
    lab.books.held.set(uuid, ['left-over']);
    expect((await compare(lab, uuid)).node?.findings).toEqual([
      expect.objectContaining({ kind: 'leaked', nodeUuid: uuid, volumeId: 'left-over', isRepaired: false }),
    ]);
    expect(lab.books.heldFor(uuid)).toEqual(['left-over']);
  });

  it('releases it when it is asked to repair and the machine is off', async () => {
    const lab = await createLab();
    const uuid = await emptyNode(lab);
    lab.books.held.set(uuid, ['left-over']);
    const { node } = await compare(lab, uuid, true);
    expect(node).toMatchObject({ findings: [{ volumeId: 'left-over', isRepaired: true }], repairWithheld: null });
    expect(lab.books.heldFor(uuid)).toEqual([]);
  });

  it('releases what is held twice of a volume that the machine runs from', async () => {
    const lab = await createLab();
    const uuid = await deployed(lab, 'power on');
    lab.books.held.set(uuid, ['volume-0', 'volume-0']);
    const { node } = await compare(lab, uuid, true);
    expect(node).toMatchObject({ findings: [{ volumeId: 'volume-0', isRepaired: true }], repairWithheld: null });
    expect(lab.books.heldFor(uuid)).toEqual(['volume-0']);
  });

  it('releases no other volume while the machine runs: records that are older than the machine do not show it', async () => {
    const lab = await createLab();
    const uuid = await deployed(lab, 'power on');
    lab.books.held.set(uuid, ['volume-0', 'added-since-the-backup']);
    const { node } = await compare(lab, uuid, true);
    expect(node).toMatchObject({
      findings: [{ volumeId: 'added-since-the-backup', isRepaired: false }],
      repairWithheld: expect.stringMatching(/power it off first/),
    });
    expect(lab.books.heldFor(uuid)).toContain('added-since-the-backup');
  });

  it('does not wait for a BMC that hangs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const lab = await createLab({ stepTimeoutMs: 60_000 });
    const uuid = await emptyNode(lab);
    lab.books.held.set(uuid, ['left-over']);
    const { promise: asked, resolve: begun } = Promise.withResolvers<void>();
    lab.onLook = () => {
      begun();
      return new Promise(() => {});
    };
    const comparison = compare(lab, uuid, true);
    await asked;
    await vi.advanceTimersByTimeAsync(70_000);
    expect((await comparison).node?.repairWithheld).toContain('could not be read');
  });

  it.each([
    ['runs', undefined, /reports "power on": power it off first/],
    ['does not tell its state', 'get power state', /could not be read: The BMC does not answer/],
  ])(
    'releases nothing while the machine %s and the records do not show its volumes',
    async (_case, failing, withheld) => {
      const lab = await createLab();
      const uuid = await deployed(lab, 'power on');
      await lab.store.attachments.replace(uuid, []);
      if (failing !== undefined) lab.failing.add(failing);
      const { node } = await compare(lab, uuid, true);
      expect(node).toMatchObject({
        findings: [{ kind: 'leaked', isRepaired: false }],
        repairWithheld: expect.stringMatching(withheld),
      });
      expect(lab.books.heldFor(uuid)).toEqual(['volume-0']);
    },
  );

  it.each([
    ['off', []],
    ['on', ['note']],
  ] as const)(
    'lets the driver drop notes of what the service does not hold, unless the machine may be using it: %s',
    async (power, notes) => {
      const lab = await createLab();
      const uuid = await emptyNode(lab);
      lab.powerStates.set(uuid, `power ${power}`);
      await lab.store.journal.put(uuid, 'storage', 'note', 'stale');
      await compare(lab, uuid);
      expect((await lab.store.journal.list(uuid, 'storage')).size).toBe(1);
      expect((await compare(lab, uuid, true)).node).toMatchObject({ findings: [], repairWithheld: null });
      expect([...(await lab.store.journal.list(uuid, 'storage')).keys()]).toEqual(notes);
    },
  );

  it('drops the record of an attachment that is missing, so that the volume is attached again', async () => {
    const lab = await createLab();
    const uuid = await deployed(lab, 'power on');
    lab.books.held.clear();
    expect((await compare(lab, uuid)).node?.findings).toMatchObject([{ kind: 'missing', isRepaired: false }]);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
    expect((await compare(lab, uuid, true)).node?.findings).toMatchObject([{ kind: 'missing', isRepaired: true }]);
    expect(await lab.store.attachments.list(uuid)).toEqual([]);
    await lab.engine.syncPowerStates();
    await lab.engine.idle();
    expect(lab.books.heldFor(uuid)).toEqual(['volume-0']);
    expect((await compare(lab, uuid)).node?.findings).toEqual([]);
  });

  it('locks the node, and leaves it free', async () => {
    const lab = await createLab();
    const uuid = await deployed(lab, 'power on');
    let refusal: unknown;
    lab.books.onCompare = async () => {
      refusal = await lab.engine.power.request(uuid, 'power off', null).catch((error: unknown) => error);
    };
    await compare(lab, uuid, true);
    expect(refusal).toMatchObject({ code: 'NODE_LOCKED' });
    expect((await lab.engine.nodes.get(uuid)).reservation).toBeNull();
  });

  it('says why a node was not compared: somebody works on it', async () => {
    const lab = await createLab();
    const uuid = await emptyNode(lab);
    await lab.store.locks.acquire(uuid, 'somebody', 60_000);
    expect((await compare(lab, uuid)).node?.skipped).toEqual({
      reason: 'locked',
      explanation: expect.stringContaining('is locked by host somebody'),
    });
  });

  it('does not take the lock of an operation that waits for its conductor', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'books' } }));
    const { promise: asked, resolve: begun } = Promise.withResolvers<void>();
    lab.onCall = async (_call, { signal }) => {
      begun();
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    await asked;
    await lab.engine.stop(0);
    await lab.store.locks.renew('conductor-1', -1);
    const before = await lab.store.locks.find(uuid);
    const beside = lab.restart({ hostname: 'conductor-1/reconcile' });
    const { nodes } = await beside.reconcile(uuid, { repair: true });
    expect(nodes[0]?.skipped).toMatchObject({
      reason: 'locked',
      explanation: 'An operation of the node has not ended.',
    });
    expect(await lab.store.locks.find(uuid)).toEqual(before);
  });

  it('says so when the storage interface keeps no books, and does not lock the node', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.store.locks.acquire(uuid, 'somebody', 60_000);
    expect((await compare(lab, uuid)).node?.skipped?.reason).toBe('no_books');
  });

  it('keeps the lock for as long as it takes, also without an engine that runs', async () => {
    const lab = await createLab({ lockLeaseMs: 60 });
    const uuid = await emptyNode(lab);
    const { promise: asked, resolve: begun } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    lab.books.onCompare = () => {
      begun();
      return released;
    };
    const beside = lab.restart({ hostname: 'conductor-1/reconcile' });
    const comparison = beside.reconcile(uuid, { repair: true });
    await asked;
    const before = await lab.store.locks.find(uuid);
    await expect.poll(async () => (await lab.store.locks.find(uuid))?.expiresAt).not.toBe(before?.expiresAt);
    expect(before?.owner).toBe('conductor-1/reconcile');
    release();
    await comparison;
    expect(await lab.store.locks.find(uuid)).toBeUndefined();
  });

  it('ends with the reason of its signal, and leaves the node free', async () => {
    const lab = await createLab();
    const uuid = await emptyNode(lab);
    const abort = new AbortController();
    lab.books.onCompare = (_nodeUuid, signal) => {
      abort.abort(new Error('interrupted'));
      signal.throwIfAborted();
    };
    await expect(lab.engine.reconcile(null, { repair: true, signal: abort.signal })).rejects.toThrow('interrupted');
    expect((await lab.engine.nodes.get(uuid)).reservation).toBeNull();
  });
});

describe('a comparison of all nodes', () => {
  it('goes on when one node fails, and keeps their order', async () => {
    const lab = await createLab();
    const uuids = [await emptyNode(lab), await emptyNode(lab), await emptyNode(lab)];
    lab.books.onCompare = (nodeUuid) => {
      if (nodeUuid === uuids[1]) throw new Error('The service is confused.');
    };
    const { nodes } = await lab.engine.reconcile(null, { repair: false });
    expect(nodes.map(({ nodeUuid, skipped }) => [nodeUuid, skipped])).toEqual([
      [uuids[0], null],
      [uuids[1], { reason: 'failed', explanation: 'The service is confused.' }],
      [uuids[2], null],
    ]);
  });

  it('finds volumes of nodes that do not exist, and never releases them', async () => {
    const lab = await createLab();
    await emptyNode(lab);
    lab.books.held.set(stranger, ['foreign-1']);
    const { orphans } = await lab.engine.reconcile(null, { repair: true });
    expect(orphans).toMatchObject([
      { storageInterface: 'books', findings: [{ nodeUuid: stranger, isRepaired: false }], failure: null },
    ]);
    expect(lab.books.heldFor(stranger)).toEqual(['foreign-1']);
  });

  it('does not take a node for a stranger that was created meanwhile', async () => {
    const lab = await createLab();
    lab.books.held.set(stranger, ['volume-0']);
    lab.books.onCompare = async (nodeUuid) => {
      if (nodeUuid === null) await lab.engine.nodes.create({ driver: 'test', uuid: stranger });
    };
    expect((await lab.engine.reconcile(null, { repair: false })).orphans).toMatchObject([{ findings: [] }]);
  });

  it('says that the search for strangers has failed', async () => {
    const lab = await createLab();
    lab.books.unreachable = true;
    expect((await lab.engine.reconcile(null, { repair: false })).orphans).toEqual([
      { storageInterface: 'books', findings: [], failure: 'The service does not answer.' },
    ]);
  });

  it('looks for no strangers when it is about one node', async () => {
    const lab = await createLab();
    const uuid = await emptyNode(lab);
    lab.books.held.set(stranger, ['foreign-1']);
    expect((await compare(lab, uuid)).orphans).toEqual([]);
  });

  it('tells what is left through the hook', async () => {
    const lab = await createLab();
    const uuid = await emptyNode(lab);
    lab.books.held.set(uuid, ['left-over']);
    lab.books.held.set(stranger, ['foreign-1']);
    const told: (readonly string[])[] = [];
    lab.engine.hooks.storageCompared.tap(
      'test',
      (findings) => void told.push(findings.map(({ volumeId }) => volumeId)),
    );
    const report = await lab.engine.reconcile(null, { repair: true });
    await compare(lab, uuid);
    expect(told).toEqual([['foreign-1']]);
    expect(openFindings(report).map(({ volumeId }) => volumeId)).toEqual(['foreign-1']);
  });
});
