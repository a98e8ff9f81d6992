import { fixedUuid } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { CinderBench } from './support/bench.ts';

const { signal } = new AbortController();
const stranger = fixedUuid(9, 2);

async function attachElsewhere({ service }: CinderBench, volumeId: string): Promise<void> {
  const { id } = await service.createAttachment(volumeId, stranger, signal);
  await service.updateAttachment(id, { host: 'compute-7' }, signal);
  await service.completeAttachment(id, signal);
}

const troubles: readonly (readonly [string, (bench: CinderBench) => unknown, string])[] = [
  ['does not exist', (bench) => bench.service.volumes.delete(bench.volumeId()), 'does not exist in Cinder'],
  [
    'is attached elsewhere',
    (bench) => attachElsewhere(bench, bench.volumeId()),
    `is attached to instance ${stranger} on host "compute-7", and it is not a multiattach volume. Detach it there, or delete the volume target.`,
  ],
  [
    'is being created',
    (bench) => bench.service.addVolume(bench.volumeId(), { status: 'creating' }),
    'has the status "creating"; it has to be "available".',
  ],
  [
    'is shared, and another machine is just getting it',
    (bench) => bench.service.addVolume(bench.volumeId(), { multiattach: true, status: 'reserved' }),
    'has the status "reserved"; it has to be "available" or "in-use".',
  ],
  [
    'is reserved by volume actions',
    (bench) => bench.service.addVolume(bench.volumeId(), { status: 'attaching' }),
    'has the status "attaching"',
  ],
];

describe('a volume that', () => {
  it.each(troubles)('%s fails the validation and the plan', async (_title, change, text) => {
    const bench = new CinderBench();
    await change(bench);
    bench.changes();
    const refusal = { code: 'INVALID_PARAMETER', message: expect.stringContaining(text) as string };
    await expect(bench.driver.validate(bench.task())).rejects.toMatchObject(refusal);
    await expect(bench.driver.plan(bench.task())).rejects.toMatchObject(refusal);
    expect(bench.changes()).toEqual([]);
  });

  it('is attached to the node already is good', async () => {
    const bench = new CinderBench();
    await bench.attach();
    await expect(bench.driver.validate(bench.task())).resolves.toEqual([]);
  });

  it('is shared and attached elsewhere is good', async () => {
    const bench = new CinderBench();
    bench.service.addVolume(bench.volumeId(), { multiattach: true });
    await attachElsewhere(bench, bench.volumeId());
    await expect(bench.driver.validate(bench.task())).resolves.toEqual([]);
  });

  it('is to be booted from and is not bootable is warned of', async () => {
    const bench = new CinderBench();
    bench.service.addVolume(bench.volumeId(), { bootable: false });
    const [warning] = await bench.driver.validate(bench.task());
    expect(warning).toContain('not marked as bootable');
    const withImage = bench.nodeTask({ instanceInfo: { image_source: 'http://192.0.2.1/image' } });
    await expect(bench.driver.validate(withImage)).resolves.toEqual([]);
  });
});

describe('without an answer from Cinder', () => {
  it('a validation warns once, for all volumes', async () => {
    const bench = new CinderBench({ volumes: 3 });
    bench.service.unreachable = true;
    const warnings = await bench.driver.validate(bench.task());
    expect(warnings).toEqual([
      expect.stringMatching(/^Cinder could not be asked about .* the connection was refused\./),
    ]);
  });

  it('a plan names the calls all the same', async () => {
    const bench = new CinderBench();
    bench.service.unreachable = true;
    const { calls, warnings, volumes } = await bench.driver.plan(bench.task());
    expect(calls.map(({ action }) => action.split(':')[0])).toContain('POST /attachments');
    expect([warnings.length, volumes]).toEqual([1, []]);
  });

  it('a validation that is aborted ends with the reason', async () => {
    const bench = new CinderBench();
    const controller = new AbortController();
    const reason = new Error('enough');
    bench.service.onCall = () => controller.abort(reason);
    const aborted = bench.driver.validate(bench.task({ signal: controller.signal }));
    await expect(aborted).rejects.toBe(reason);
  });

  it('bad records are found', async () => {
    const bench = new CinderBench();
    bench.service.unreachable = true;
    const task = bench.task({ volumeConnectors: [] });
    await expect(bench.driver.validate(task)).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    expect(bench.service.calls).toEqual([]);
  });
});

describe('a plan', () => {
  it('has the calls of attachments in their order: all volumes are connected before the first is completed', async () => {
    const bench = new CinderBench({ volumes: 2 });
    const [boot, extra] = [bench.volumeId(0), bench.volumeId(1)];
    const { calls } = await bench.driver.plan(bench.task());
    expect(calls.map(({ action }) => action)).toEqual([
      `GET /volumes/${boot}: 1 GiB, available, bootable`,
      `POST /attachments: reserve volume ${boot} for instance ${bench.nodeUuid}`,
      `PUT /attachments/<id>: export volume ${boot} to host ${bench.nodeUuid}`,
      `GET /volumes/${extra}: 1 GiB, available, bootable`,
      `POST /attachments: reserve volume ${extra} for instance ${bench.nodeUuid}`,
      `PUT /attachments/<id>: export volume ${extra} to host ${bench.nodeUuid}`,
      `POST /attachments/<id>/action: os-complete for volume ${boot}`,
      `POST /attachments/<id>/action: os-complete for volume ${extra}`,
      `POST /volumes/${boot}/metadata: ironic_node_${bench.nodeUuid}`,
      `POST /volumes/${extra}/metadata: ironic_node_${bench.nodeUuid}`,
    ]);
  });

  it('has the calls of volume actions on a service that has no attachments', async () => {
    const bench = new CinderBench();
    bench.service.minor = 20;
    const { calls } = await bench.driver.plan(bench.task());
    expect(calls.map(({ action }) => action.split(': ')[1])).toEqual([
      '1 GiB, available, bootable',
      'os-reserve',
      `os-initialize_connection for host ${bench.nodeUuid}`,
      `os-attach to instance ${bench.nodeUuid}`,
      `ironic_node_${bench.nodeUuid}`,
    ]);
  });

  it('knows the connection of a volume that is attached already, where Cinder remembers it', async () => {
    for (const [attachmentApi, count] of [
      ['attachments', 1],
      ['volume-actions', 0],
    ] as const) {
      const bench = new CinderBench({ attachmentApi });
      await bench.attach();
      bench.changes();
      const { volumes, calls } = await bench.driver.plan(bench.task());
      expect(volumes).toHaveLength(count);
      expect(calls.at(-1)?.action).toContain('which is attached to the node already');
      expect(bench.changes()).toEqual([]);
    }
  });

  it('of a node without volumes does not ask Cinder', async () => {
    const bench = new CinderBench({ volumes: 0 });
    await expect(bench.driver.plan(bench.task())).resolves.toEqual({ calls: [], volumes: [], warnings: [] });
    await expect(bench.driver.validate(bench.task({ volumeConnectors: [] }))).resolves.toEqual([]);
    expect(bench.service.calls).toEqual([]);
  });
});
