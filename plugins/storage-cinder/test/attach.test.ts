import { explain } from '@ironbark/core';
import { createVolumeConnector, fixedUuid } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { CinderBench } from './support/bench.ts';
import { failed, lostAnswer, refused } from './support/memory-block-storage.ts';

const instanceUuid = fixedUuid(9, 1);
const stranger = fixedUuid(9, 2);
const { signal } = new AbortController();

/** Somebody else attaches a volume. */
async function attachElsewhere({ service }: CinderBench, volumeId: string, owner = stranger): Promise<void> {
  const { id } = await service.createAttachment(volumeId, owner, signal);
  await service.updateAttachment(id, { host: 'compute-7', initiator: 'iqn.2017-08.org.example:compute-7' }, signal);
  await service.completeAttachment(id, signal);
  service.calls.splice(0);
}

describe('attaching', () => {
  it('reserves, exports, completes and marks a volume', async () => {
    const bench = new CinderBench();
    await bench.attach();
    expect(bench.changes()).toEqual([
      'createAttachment',
      'updateAttachment',
      'completeAttachment',
      'setVolumeMetadata',
    ]);
  });

  it('exports all volumes at once and completes them in the order of their boot index', async () => {
    const bench = new CinderBench({ volumes: 3 });
    const exported: string[] = [];
    const all = Promise.withResolvers<void>();
    bench.service.onCreate = async (moment, volumeId) => {
      if (moment !== 'before' || bench.service.calls.at(-1)?.name !== 'updateAttachment') return;
      exported.push(volumeId);
      if (exported.length === 3) all.resolve();
      await all.promise;
    };
    await bench.attach();
    const completed = bench.service.calls.filter(({ name }) => name === 'completeAttachment');
    const volumes = completed.map(({ id }) => bench.service.attachments.get(id)?.volumeId);
    expect(volumes).toEqual([0, 1, 2].map((index) => bench.volumeId(index)));
  });

  it('is done in the name of the instance, and of the node when there is none', async () => {
    const [withInstance, without] = [new CinderBench(), new CinderBench()];
    await withInstance.attach(withInstance.nodeTask({ instanceUuid }));
    await without.attach();
    const instances = [withInstance, without].map(({ service }) => [...service.attachments.values()][0]?.instanceUuid);
    expect(instances).toEqual([instanceUuid, without.nodeUuid]);
  });

  it.each([
    ['the instance', instanceUuid],
    ['the node', fixedUuid(1)],
  ])('adopts what is attached to %s, with its connection', async (_title, owner) => {
    const bench = new CinderBench();
    await attachElsewhere(bench, bench.volumeId(), owner);
    const volumes = await bench.attach(bench.nodeTask({ instanceUuid }));
    expect(volumes[0]?.connection).toMatchObject({ kind: 'iscsi', paths: [{ lun: 1 }] });
    expect(bench.outcomes).toMatchObject([{ result: 'adopted' }]);
    expect(bench.changes()).toEqual(['setVolumeMetadata']);
  });

  it('does not adopt an attachment without an instance', async () => {
    const bench = new CinderBench();
    bench.service.attachments.set('a', {
      id: 'a',
      volumeId: bench.volumeId(),
      instanceUuid: null,
      status: 'attached',
      connector: { host: 'backup-1' },
    });
    bench.service.addVolume(bench.volumeId(), { status: 'in-use' });
    await expect(bench.attach()).rejects.toThrow(/is attached to no instance on host "backup-1"/);
    expect(bench.changes()).toEqual([]);
  });

  it('refuses a volume that is attached elsewhere, and says to whom', async () => {
    const bench = new CinderBench();
    await attachElsewhere(bench, bench.volumeId());
    const error = await bench.attach().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STORAGE_FAILURE' });
    expect(explain(error)).toContain(`is attached to instance ${stranger} on host "compute-7"`);
    expect(bench.changes()).toEqual([]);
  });

  it('does not adopt what is attached to another node for the same instance: its machine may still run', async () => {
    const [here, there] = [new CinderBench(), new CinderBench({ number: 1 })];
    await here.attach(here.nodeTask({ instanceUuid }));
    here.changes();
    const moved = there.nodeTask({ instanceUuid }, { volumeTargets: here.records.volumeTargets });
    await expect(here.driver.attach(moved)).rejects.toThrow(`instance ${instanceUuid} on host "${here.nodeUuid}"`);
    await here.driver.detach(moved);
    expect(here.changes()).toEqual([]);
  });

  it('refuses a volume that is attached elsewhere, also when somebody has declared it available', async () => {
    const bench = new CinderBench({ attachmentApi: 'volume-actions' });
    await attachElsewhere(bench, bench.volumeId());
    Object.assign(bench.service.volumes.get(bench.volumeId()) ?? {}, { status: 'available' });
    await expect(bench.attach()).rejects.toThrow(`is attached to instance ${stranger}`);
    expect(bench.changes()).toEqual([]);
  });

  it('attaches a volume of the project that named it, and of no other', async () => {
    const bench = new CinderBench();
    bench.service.addVolume(bench.volumeId(), { projectId: 'red' });
    const namedBy = (projectId: string | null) => {
      return bench.task({ volumeTargets: bench.records.volumeTargets.map((target) => ({ ...target, projectId })) });
    };
    await expect(bench.attach(namedBy('blue'))).rejects.toThrow(/is not in project blue, which named it/);
    expect(bench.changes()).toEqual([]);
    for (const projectId of ['red', null]) await expect(bench.attach(namedBy(projectId))).resolves.toHaveLength(1);
    await expect(bench.attach(namedBy('blue'))).rejects.toThrow(/is not in project blue/);
  });

  it('shares a multiattach volume that is attached elsewhere', async () => {
    const bench = new CinderBench();
    bench.service.addVolume(bench.volumeId(), { multiattach: true });
    await attachElsewhere(bench, bench.volumeId());
    await bench.attach();
    expect(bench.service.attachmentsOf(bench.volumeId()).map(({ status }) => status)).toEqual(['attached', 'attached']);
  });

  it.each([
    ['does not exist', (bench: CinderBench) => bench.service.volumes.delete(bench.volumeId())],
    ['has the status "error"', (bench: CinderBench) => bench.service.addVolume(bench.volumeId(), { status: 'error' })],
  ])('refuses a volume that %s, before anything is made', async (text, change) => {
    const bench = new CinderBench();
    change(bench);
    await expect(bench.attach()).rejects.toThrow(text);
    expect(bench.changes()).toEqual([]);
  });

  it('goes on with a reservation and with an export that an earlier call has left', async () => {
    const bench = new CinderBench({ volumes: 2 });
    const [reserved, exported] = [bench.volumeId(0), bench.volumeId(1)];
    await bench.service.createAttachment(reserved, bench.nodeUuid, signal);
    const { id } = await bench.service.createAttachment(exported, bench.nodeUuid, signal);
    await bench.service.updateAttachment(id, { host: bench.nodeUuid }, signal);
    bench.service.calls.splice(0);
    await bench.attach();
    expect(bench.changes()).not.toContain('createAttachment');
    expect([...bench.service.attachments.values()].map(({ status }) => status)).toEqual(['attached', 'attached']);
  });

  it('adopts an attachment that somebody has failed to end: the machine may be using it', async () => {
    const bench = new CinderBench();
    await bench.attach();
    for (const attachment of bench.service.attachments.values()) attachment.status = 'error_detaching';
    bench.changes();
    await bench.attach();
    expect(bench.changes()).toEqual([]);
  });

  it('fails when the attachment is gone that it was about to adopt, and exports nothing', async () => {
    const bench = new CinderBench();
    const { id } = await bench.service.createAttachment(bench.volumeId(), bench.nodeUuid, signal);
    await bench.service.completeAttachment(id, signal);
    bench.changes();
    bench.service.onCall = ({ name }) => name === 'findAttachment' && bench.service.attachments.delete(id);
    await expect(bench.attach()).rejects.toThrow(`Cinder tells no connection of attachment ${id}.`);
    expect(bench.changes()).toEqual([]);
  });

  it('replaces an attachment that Cinder has given up', async () => {
    const bench = new CinderBench();
    const { id } = await bench.service.createAttachment(bench.volumeId(), bench.nodeUuid, signal);
    Object.assign(bench.service.attachments.get(id) ?? {}, { status: 'error_attaching' });
    await bench.attach();
    expect([...bench.service.attachments.values()]).toMatchObject([{ status: 'attached' }]);
    expect(bench.service.attachments.has(id)).toBe(false);
  });

  it('fails with the reason of each volume and releases the others', async () => {
    const bench = new CinderBench({ volumes: 3 });
    bench.service.refusesToAttach.add(bench.volumeId(1)).add(bench.volumeId(2));
    const error = await bench.attach().catch((reason: unknown) => reason);
    expect(explain(error)).toMatch(
      /could not be attached\. Volume 0\S+ is not for you\. Volume 0\S+ is not for you\.$/,
    );
    for (const index of [1, 2]) expect(explain(error)).toContain(`Volume ${bench.volumeId(index)} is not for you.`);
    expect(bench.outcomes.map(({ result }) => result).toSorted()).toEqual(['failed', 'failed', 'released']);
    expect([bench.service.leaks(), bench.journal.notes().size]).toEqual([[], 0]);
  });

  it('says so when what it had made cannot be released, and keeps it in the journal', async () => {
    const bench = new CinderBench({ volumes: 2 });
    bench.service.refusesToAttach.add(bench.volumeId(1));
    bench.service.refusesToRelease.add(bench.volumeId(0));
    const error = await bench.attach().catch((reason: unknown) => reason);
    expect(explain(error)).toMatch(/was not released\..*power it off or undeploy it/);
    expect([...bench.journal.notes().keys()]).toEqual([`attachment:${bench.volumeId(0)}`]);
    bench.service.refusesToRelease.clear();
    await bench.detach();
    expect(bench.service.leaks()).toEqual([]);
  });

  it('releases what Cinder describes wrongly, and names the volume and the property', async () => {
    const bench = new CinderBench();
    bench.service.connectionData = { target_lun: 'none' };
    const error = await bench.attach().catch((reason: unknown) => reason);
    expect(explain(error)).toMatch(/Property target_lun of the connection that Cinder gave for volume 0/);
    expect(bench.service.leaks()).toEqual([]);
  });

  it('releases a volume whose target says another type', async () => {
    const bench = new CinderBench();
    bench.service.driverVolumeType = 'nfs';
    bench.service.connectionData = { export: '192.0.2.1:/volumes' };
    await expect(bench.attach()).rejects.toThrow(/is of type iscsi, but Cinder exports its volume as nfs/);
    expect(bench.service.leaks()).toEqual([]);
  });

  it('makes nothing more for any volume once the lock is lost', async () => {
    const bench = new CinderBench({ volumes: 2 });
    bench.service.onCreate = async (moment) => {
      if (moment === 'after') bench.journal.loseLock();
    };
    await expect(bench.attach()).rejects.toMatchObject({ code: 'LOCK_LOST' });
    expect(bench.changes().filter((name) => name !== 'createAttachment')).toEqual([]);
  });
});

describe('the connection of an attached volume', () => {
  it('has all paths of a multipath connection, each with its own target and LUN', async () => {
    const bench = new CinderBench();
    bench.service.connectionData = {
      target_portals: ['192.0.2.1:3260', '[2001:db8::1]:3261'],
      target_iqns: ['iqn.2010-10.org.example:a', 'iqn.2010-10.org.example:b'],
      target_luns: [1, 2],
    };
    const [volume] = await bench.attach();
    expect(volume?.connection).toMatchObject({
      paths: [
        { portal: { host: '192.0.2.1', port: 3260 }, iqn: 'iqn.2010-10.org.example:a', lun: 1 },
        { portal: { host: '2001:db8::1', port: 3261 }, iqn: 'iqn.2010-10.org.example:b', lun: 2 },
      ],
    });
  });

  it('has a path for each pair of ports of Fibre Channel', async () => {
    const bench = new CinderBench();
    const ports = ['10000090fa000001', '10000090fa000002'];
    const connectors = [...ports.map((id) => ['wwpn', id]), ['wwnn', '20000090fa000001'], ['wwnn', '20000090fa000002']];
    const volumeConnectors = connectors.map(([type = '', connectorId = '']) =>
      createVolumeConnector({ type, connectorId }),
    );
    const volumeTargets = bench.records.volumeTargets.map((target) => ({ ...target, volumeType: 'fibre_channel' }));
    bench.service.driverVolumeType = 'fibre_channel';
    bench.service.connectionData = {
      target_wwn: ['500a098280feeba5', '500a098290feeba5'],
      target_lun: 3,
      initiator_target_map: { [ports[0] ?? '']: ['500a098280feeba5'], [ports[1] ?? '']: ['500a098290feeba5'] },
    };
    const [volume] = await bench.attach(bench.task({ volumeConnectors, volumeTargets }));
    expect(volume?.connection).toEqual({
      kind: 'fibre_channel',
      paths: [
        { initiatorWwpn: ports[0], targetWwpn: '500a098280feeba5', lun: 3 },
        { initiatorWwpn: ports[1], targetWwpn: '500a098290feeba5', lun: 3 },
      ],
    });
    expect([...bench.service.attachments.values()][0]?.connector).toMatchObject({ wwpns: ports, multipath: true });
  });
});

describe('the mark in the metadata of a volume', () => {
  it('says which node and instance use it', async () => {
    const bench = new CinderBench();
    await bench.attach(bench.nodeTask({ instanceUuid }));
    const { [`ironic_node_${bench.nodeUuid}`]: text = '' } =
      bench.service.volumes.get(bench.volumeId())?.metadata ?? {};
    expect(text.length).toBeLessThanOrEqual(255);
    expect(JSON.parse(text)).toEqual({
      instance_uuid: instanceUuid,
      last_seen: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+$/) as string,
      last_action: 'attached',
    });
  });

  it('is not needed: a failure to write it is a line in the log', async () => {
    const bench = new CinderBench();
    bench.service.fail('setVolumeMetadata', 'before', refused('no metadata here'));
    await bench.attach();
    expect(bench.log.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });

  it('is written later when a crash came between the attachment and the mark', async () => {
    const bench = new CinderBench();
    bench.service.fail('setVolumeMetadata', 'before');
    await bench.attach();
    await bench.attach();
    expect(bench.service.volumes.get(bench.volumeId())?.metadata).not.toEqual({});
  });

  it('is not written again by every attach', async () => {
    const bench = new CinderBench();
    await bench.attach();
    bench.changes();
    await bench.attach();
    expect(bench.changes()).toEqual([]);
  });
});

describe('when the answer to a request is lost', () => {
  it.each(['before', 'after'] as const)('a reservation is made once: lost %s it was made', async (moment) => {
    const bench = new CinderBench();
    bench.service.fail('createAttachment', moment);
    await bench.attach();
    expect([...bench.service.attachments.values()]).toMatchObject([{ status: 'attached' }]);
  });

  it.each(['before', 'after'] as const)(
    'a reservation by actions is made once: lost %s it was made',
    async (moment) => {
      const bench = new CinderBench({ attachmentApi: 'volume-actions' });
      bench.service.fail('reserve', moment);
      await bench.attach();
      expect(bench.service.volumes.get(bench.volumeId())).toMatchObject({ status: 'in-use' });
    },
  );

  it('a second reservation is not asked for after a refusal', async () => {
    const bench = new CinderBench();
    bench.service.fail('createAttachment', 'before', refused('not now'));
    await expect(bench.attach()).rejects.toThrow('not now');
    expect(bench.changes()).toEqual(['createAttachment']);
  });

  it.each(['updateAttachment', 'completeAttachment'] as const)('%s: nothing is left over', async (call) => {
    for (const moment of ['before', 'after'] as const) {
      const bench = new CinderBench({ volumes: 2 });
      bench.service.fail(call, moment);
      await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      expect(bench.service.leaks()).toEqual([]);
    }
  });

  it.each(['initializeConnection', 'attach'] as const)('%s by actions: nothing is left over', async (call) => {
    for (const error of [lostAnswer(), failed('backend down'), refused('no')]) {
      const bench = new CinderBench({ attachmentApi: 'volume-actions', volumes: 2 });
      bench.service.fail(call, 'before', error);
      await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
      expect(bench.service.leaks()).toEqual([]);
    }
  });

  it('os-attach that was carried out all the same is taken as done', async () => {
    const bench = new CinderBench({ attachmentApi: 'volume-actions' });
    bench.service.fail('attach', 'after');
    await bench.attach();
    expect(bench.outcomes).toMatchObject([{ result: 'attached' }]);
  });
});

describe('attaching by volume actions', () => {
  const options = { attachmentApi: 'volume-actions' } as const;

  it('reserves, exports, attaches and marks a volume', async () => {
    const bench = new CinderBench(options);
    await bench.attach();
    expect(bench.changes()).toEqual(['reserve', 'initializeConnection', 'attach', 'setVolumeMetadata']);
  });

  it('is what an old service gets, unless attachments are asked for', async () => {
    const [auto, demanding] = [new CinderBench(), new CinderBench({ attachmentApi: 'attachments' })];
    for (const { service } of [auto, demanding]) service.minor = 43;
    await auto.attach();
    expect(auto.changes()[0]).toBe('reserve');
    await expect(demanding.attach()).rejects.toThrow(/microversions up to 3.43 only\. Set it to "auto"/);
  });

  it('takes an export back that it could not attach, and leaves no target on the storage', async () => {
    const bench = new CinderBench(options);
    bench.service.fail('attach', 'before', failed('try again'));
    await expect(bench.attach()).rejects.toThrow('try again');
    expect(bench.changes()).toEqual([
      'reserve',
      'initializeConnection',
      'attach',
      'initializeConnection',
      'attach',
      'beginDetaching',
      'terminateConnection',
      'detach',
    ]);
    expect(bench.service.leaks()).toEqual([]);
  });

  it('only frees a volume that the storage refuses to export', async () => {
    const bench = new CinderBench(options);
    for (let count = 0; count < 2; count += 1)
      bench.service.fail('initializeConnection', 'before', failed('no backend'));
    await expect(bench.attach()).rejects.toThrow('no backend');
    expect(bench.changes()).toEqual(['reserve', 'initializeConnection', 'initializeConnection', 'unreserve']);
  });

  it('gives up a volume that somebody else attached in the same moment', async () => {
    const bench = new CinderBench(options);
    bench.service.onCall = ({ name }) => {
      if (name !== 'attach') return;
      bench.service.attachments.set('b', {
        id: 'b',
        volumeId: bench.volumeId(),
        instanceUuid: stranger,
        status: 'attached',
        connector: null,
      });
    };
    await expect(bench.attach()).rejects.toThrow(/was attached at the same time to instance/);
    expect([...bench.service.attachments.keys()]).toEqual(['b']);
    expect(bench.service.volumes.get(bench.volumeId())).toMatchObject({ status: 'in-use', isExported: true });
  });

  it('leaves the reservation alone that somebody else was quicker to make', async () => {
    const bench = new CinderBench(options);
    bench.service.onCall = ({ name }) => {
      if (name === 'reserve') Object.assign(bench.service.volumes.get(bench.volumeId()) ?? {}, { status: 'attaching' });
    };
    await expect(bench.attach()).rejects.toThrow('the status is attaching');
    await bench.detach(bench.nodeTask({ provisionState: 'deploying' }));
    expect(bench.changes()).toEqual(['reserve']);
    expect(bench.service.volumes.get(bench.volumeId())?.status).toBe('attaching');
  });

  it('does not share a volume on a service that would cut both connections', async () => {
    const bench = new CinderBench(options);
    bench.service.minor = 20;
    bench.service.addVolume(bench.volumeId(), { multiattach: true });
    await attachElsewhere(bench, bench.volumeId());
    await expect(bench.attach()).rejects.toThrow(/would end both attachments/);
  });

  it('takes its part of a shared export back without cutting the others', async () => {
    const bench = new CinderBench(options);
    bench.service.addVolume(bench.volumeId(), { multiattach: true });
    await attachElsewhere(bench, bench.volumeId());
    bench.service.fail('initializeConnection', 'after');
    await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    expect(bench.changes()).toEqual(['reserve', 'initializeConnection', 'terminateConnection']);
    expect(bench.service.volumes.get(bench.volumeId())).toMatchObject({ status: 'in-use', isExported: true });
  });

  it.each([
    ['initializeConnection', 'after'],
    ['attach', 'before'],
  ] as const)('takes an export back until Cinder has answered: %s lost %s it was done, twice', async (call, moment) => {
    const bench = new CinderBench(options);
    for (let count = 0; count < 2; count += 1) bench.service.fail(call, moment);
    await expect(bench.attach()).rejects.toMatchObject({ code: 'STORAGE_FAILURE' });
    expect(bench.service.leaks()).toEqual([]);
  });

  it('keeps an attached volume exported to the connector that it was attached with, and warns', async () => {
    const bench = new CinderBench(options);
    await bench.attach();
    const initiators: unknown[] = [];
    const { service } = bench;
    const initialize = service.initializeConnection.bind(service);
    service.initializeConnection = (id, connector, stop) => {
      initiators.push(connector.initiator);
      return initialize(id, connector, stop);
    };
    const other = createVolumeConnector({ type: 'iqn', connectorId: 'iqn.2017-08.org.example:other' });
    await bench.attach(bench.task({ volumeConnectors: [other] }));
    expect(initiators).toEqual(['iqn.2017-08.org.example:node-0']);
    expect(bench.log.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });

  it('takes a volume back that a detach had begun to release', async () => {
    const bench = new CinderBench(options);
    await bench.attach();
    await bench.service.beginDetaching(bench.volumeId(), signal);
    await bench.attach();
    expect(bench.service.volumes.get(bench.volumeId())?.status).toBe('in-use');
  });
});
