import { OpenStackAccess } from '@ironbark/lab/openstack';
import { describe, expect, inject, it } from 'vitest';
import { formatTable } from '../bench/table.ts';
import { callTimeoutSeconds, faults, recordCalls, runCell, type FaultName, type FaultPoint } from './fault-cell.ts';
import { FaultLane, type Protocol } from './fault-lane.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const faultNames = Object.keys(faults) as FaultName[];
const mostVolumes = 3;
/** Conductors that work on the rows of one protocol. */
const laneCount = 2;

/** Every call for one volume. Of three volumes, which are worked on at once: the second call of each kind that changes something. */
async function faultPoints(lane: FaultLane): Promise<readonly FaultPoint[]> {
  await recordCalls(lane, 1); // asks for the versions of the API, once
  const one = await recordCalls(lane, 1);
  const several = await recordCalls(lane, mostVolumes);
  const changing = [...several.attach, ...several.detach].filter(({ call, nth }) => !call.startsWith('GET') && nth === 2);
  return [...one.attach, ...one.detach, ...changing];
}

/** Runs all rows with all faults. @returns the table, and a sentence for each cell that did not recover. */
async function faultTable(protocol: Protocol): Promise<{ readonly table: string; readonly problems: readonly string[] }> {
  await using stack = new AsyncDisposableStack();
  const lanes: FaultLane[] = [];
  for (let index = 0; index < laneCount; index += 1) {
    const lane = await FaultLane.start(openstack, mostVolumes, { protocol, callTimeoutSeconds });
    stack.defer(() => lane.stop());
    lanes.push(lane);
  }
  const points = await faultPoints(lanes[0] as FaultLane);
  const rows = points.map(({ operation, volumes, call, nth }) => [operation, volumes, nth === 1 ? call : `${call} #${nth}`]);
  const problems: string[] = [];
  let next = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      for (let index = next++; index < points.length; index = next++) {
        const point = points[index] as FaultPoint;
        for (const name of faultNames) {
          const { outcome, leaks } = await runCell(lane, point, name);
          rows[index]?.push(leaks.length === 0 ? outcome : 'LEAK');
          const where = `${point.operation} of ${point.volumes}, ${point.call} #${point.nth}, ${name}`;
          for (const leak of leaks) problems.push(`${where}: ${leak}`);
          if (/but not|without/.test(outcome)) problems.push(`${where}: ${outcome}`);
        }
      }
    }),
  );
  return { table: formatTable(['', 'volumes', 'call', ...faultNames], rows), problems };
}

describe.concurrent('volumes of a node, after a call to Cinder went wrong', () => {
  it.each(['attachments', 'volume-actions'] as const)('are all free and unknown to nobody, by %s', async (protocol) => {
    const { table, problems } = await faultTable(protocol);
    console.log(`${protocol}\n${table}`);
    expect(problems).toEqual([]);
  });
});
