import { setTimeout as sleep } from 'node:timers/promises';
import type { Moment, ProxyFault } from '@ironbark/lab/openstack';
import type { FaultLane, NodeState } from './fault-lane.ts';

/** Seconds that a call may take in these tests, and milliseconds after which a late one reaches Cinder. */
export const callTimeoutSeconds = 1.5;
const lateMs = 2000;

/** How often an undeployment is asked for before a node counts as stuck. */
const patience = 4;

/** What goes wrong with one call. */
export const faults = {
  '503 before': { kind: 'status', status: 503, moment: 'before' },
  '500 after': { kind: 'status', status: 500, moment: 'after' },
  'drop before': { kind: 'drop', moment: 'before' },
  'drop after': { kind: 'drop', moment: 'after' },
  garbled: { kind: 'garble' },
  late: { kind: 'delay', milliseconds: lateMs },
  'kill before': { kind: 'drop', moment: 'before' },
  'kill after': { kind: 'drop', moment: 'after' },
} as const satisfies Record<string, ProxyFault>;

export type FaultName = keyof typeof faults;

/** The call that goes wrong, and during what. */
export interface FaultPoint {
  readonly operation: 'attach' | 'detach';
  readonly volumes: number;
  readonly call: string;
  readonly nth: number;
}

/** How an operation with a fault ended, and what was left over after the recovery. */
export interface Cell {
  readonly outcome: string;
  readonly leaks: readonly string[];
}

/** Lets one call of a deployment or an undeployment go wrong, and then releases the node the way an operator does. */
export async function runCell(lane: FaultLane, point: FaultPoint, fault: FaultName): Promise<Cell> {
  const volumeIds = lane.volumeIds.slice(0, point.volumes);
  await lane.createTargets(point.volumes);
  if (point.operation === 'detach') await expectState(lane, 'active');
  const node = await withFault(lane, point, fault);
  const outcome = await describe(lane, node, volumeIds);
  const repetitions = await release(lane, node);
  const leaks = await lane.openstack.leaks(volumeIds);
  for (const id of leaks.length > 0 ? volumeIds : []) await lane.openstack.resetVolume(id);
  return { outcome: repetitions === 0 ? outcome : `${outcome}, ${repetitions} more`, leaks };
}

/** The calls of a deployment and of an undeployment in which nothing goes wrong. */
export async function recordCalls(
  lane: FaultLane,
  volumes: number,
): Promise<Readonly<Record<FaultPoint['operation'], readonly FaultPoint[]>>> {
  await lane.createTargets(volumes);
  const points = (operation: FaultPoint['operation']) =>
    lane.proxy.calls.map(({ name: call, nth }): FaultPoint => ({ operation, volumes, call, nth }));
  lane.proxy.reset();
  await expectState(lane, 'active');
  const attach = points('attach');
  lane.proxy.reset();
  await lane.request('deleted');
  await lane.settled();
  return { attach, detach: points('detach') };
}

async function expectState(lane: FaultLane, wanted: 'active'): Promise<void> {
  const refusal = await lane.request(wanted);
  const { provision_state: state, last_error: reason } = await lane.settled();
  if (state !== wanted) throw new Error(`The node is ${state} instead of ${wanted}: ${refusal ?? reason}`);
}

/** @returns the node when the operation has ended and Cinder has answered every call, late ones included. */
async function withFault(lane: FaultLane, { operation, call, nth }: FaultPoint, name: FaultName): Promise<NodeState> {
  const { proxy } = lane;
  proxy.reset();
  const fault = faults[name];
  proxy.inject({ call, nth, fault });
  const isKill = name.startsWith('kill');
  const killed = Promise.withResolvers<void>();
  proxy.onCall = async (seen, moment) => {
    if (!isKill || seen.name !== call || seen.nth !== nth || moment !== momentOf(fault)) return;
    await lane.kill();
    killed.resolve();
  };
  await lane.request(operation === 'attach' ? 'active' : 'deleted');
  if (isKill) {
    await killed.promise;
    await lane.startAgain();
  }
  const node = await lane.settled();
  await proxy.idle();
  const missed = proxy.pendingRules.length > 0;
  proxy.reset();
  if (missed) throw new Error(`The ${operation}ment made no call ${nth} of ${call}.`);
  return node;
}

function momentOf(fault: ProxyFault): Moment | undefined {
  return 'moment' in fault ? fault.moment : undefined;
}

/** Says how the operation ended for the volumes. */
async function describe(lane: FaultLane, node: NodeState, volumeIds: readonly string[]): Promise<string> {
  const { provision_state: state, last_error: reason } = node;
  if (state.endsWith('failed') || state === 'error') {
    if (reason === null) return `${state} without a reason`;
    return (await lane.openstack.leaks(volumeIds)).length === 0 ? 'taken back' : 'failed';
  }
  if (state !== 'active') return state;
  const attachments = await lane.openstack.attachments();
  const exports = await lane.openstack.exports();
  const isOnce = (id: string) =>
    attachments.filter(({ volume_id }) => volume_id === id).length === 1 &&
    exports.filter(({ volumeId }) => volumeId === id).length === 1;
  return volumeIds.every(isOnce) ? 'active' : 'active, but not attached once';
}

/** Undeploys until the node is available. @returns how often it had to be asked for again. */
async function release(lane: FaultLane, { provision_state: state }: NodeState): Promise<number> {
  if (state === 'available') {
    await lane.deleteTargets();
    return 0;
  }
  for (let request = 1; request <= patience; request += 1) {
    const refusal = await lane.request('deleted');
    const node = await lane.settled();
    if (node.provision_state === 'available') return state === 'error' ? request : request - 1;
    await sleep(50 * request);
    if (request === patience) throw new Error(`The node stays ${node.provision_state}: ${refusal ?? node.last_error}`);
  }
  return patience;
}
