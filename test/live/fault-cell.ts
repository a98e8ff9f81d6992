import type { FaultRule, Moment, ProxyFault } from '@ironbark/lab/openstack';
import type { CinderSite, NodeState } from './cinder-site.ts';

/** How often an undeployment is asked for before a node counts as stuck. */
const patience = 4;
/** How often a cell is tried whose fault was not reached: on a busy host another call may time out before it. */
const attempts = 3;

/** What volumes are attached and released by, with the request for it. */
const operations = {
  deploy: 'active',
  'power off': 'power off',
  'power on': 'power on',
  undeploy: 'deleted',
} as const;
type Operation = keyof typeof operations;

/** The call that goes wrong, and during what. */
export interface FaultPoint {
  readonly operation: Operation;
  readonly volumes: number;
  readonly call: string;
  readonly nth: number;
}

/** What became of a fault. */
export interface Cell {
  /** How the operation ended. */
  readonly outcome: string;
  /** What is not as it should be after the recovery. */
  readonly problems: readonly string[];
}

const immediate = {
  '503 before': { kind: 'status', status: 503, moment: 'before' },
  '500 after': { kind: 'status', status: 500, moment: 'after' },
  'drop before': { kind: 'drop', moment: 'before' },
  'drop after': { kind: 'drop', moment: 'after' },
  garbled: { kind: 'garble' },
} as const satisfies Record<string, ProxyFault>;

/** What can happen at a call. `late`: it reaches Cinder when the operation has ended. `kill`: the conductor is killed. */
export const faultNames = [...objectKeys(immediate), 'late', 'kill before', 'kill after'] as const;
export type FaultName = (typeof faultNames)[number];

/** A question makes no difference between before and after, and a late one is nobody's. */
const faultsOfQuestions: readonly FaultName[] = ['503 before', 'drop after', 'garbled', 'kill after'];

export function canHappen(point: FaultPoint, fault: FaultName): boolean {
  return changes(point) || faultsOfQuestions.includes(fault);
}

/** Whether the call makes Cinder do something. */
export function changes({ call }: FaultPoint): boolean {
  return !call.startsWith('GET ');
}

/** The operation ended before the call that was to go wrong. */
class NotReached extends Error {}

/**
 * Lets one call of an operation go wrong, and then releases the node the way an operator does.
 * @throws when the operation does not make the call, or the node cannot be released.
 */
export async function runCell(site: CinderSite, point: FaultPoint, fault: FaultName): Promise<Cell> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryCell(site, point, fault);
    } catch (error) {
      if (!(error instanceof NotReached) || attempt === attempts) throw error;
      await release(site, await site.settled());
    }
  }
}

async function tryCell(site: CinderSite, point: FaultPoint, fault: FaultName): Promise<Cell> {
  const volumeIds = site.volumeIds.slice(0, point.volumes);
  await prepare(site, point);
  const node = await withFault(site, point, fault);
  const outcome = await describeEnd(site, node, volumeIds);
  const isTelling = fault === 'late' || (fault === 'kill after' && point.volumes === 1);
  const disagreements = isTelling ? await compareBooks(site, outcome) : [];
  const repetitions = await release(site, node);
  const leaks = await site.openstack.leaks(volumeIds);
  for (const id of leaks.length > 0 ? volumeIds : []) await site.openstack.resetVolume(id);
  const problems = [...disagreements, ...leaks];
  return { outcome: repetitions === 0 ? outcome : `${outcome}, ${repetitions} more`, problems };
}

/** The calls of all operations in which nothing goes wrong. */
export async function recordCalls(site: CinderSite, volumes: number): Promise<readonly FaultPoint[]> {
  const points: FaultPoint[] = [];
  await site.createTargets(volumes);
  for (const operation of objectKeys(operations)) {
    site.proxy.reset();
    await succeed(site, operation);
    points.push(...site.proxy.calls.map(({ name: call, nth }) => ({ operation, volumes, call, nth })));
  }
  return points;
}

async function prepare(site: CinderSite, { operation, volumes }: FaultPoint): Promise<void> {
  await site.createTargets(volumes);
  if (operation !== 'deploy') await succeed(site, 'deploy');
  if (operation === 'power on') await succeed(site, 'power off');
}

async function succeed(site: CinderSite, operation: Operation): Promise<void> {
  const refusal = await site.request(operations[operation]);
  const { provision_state: state, last_error: reason } = await site.settled();
  if (refusal !== undefined || reason !== null)
    throw new NotReached(`${operation} left ${state}: ${refusal ?? reason}`);
}

/** @returns the node when the operation has ended and Cinder has answered every call. */
async function withFault(site: CinderSite, point: FaultPoint, name: FaultName): Promise<NodeState> {
  const { proxy } = site;
  proxy.reset();
  const ended = Promise.withResolvers<void>();
  const killed = inject(site, point, name, ended.promise);
  const refusal = await site.request(operations[point.operation]);
  if (killed !== undefined) await startAgainAfter(killed, site);
  const node = await site.settled();
  ended.resolve();
  await proxy.idle();
  const isMissed = proxy.pendingRules.length > 0;
  proxy.reset();
  if (!isMissed) return node;
  throw new NotReached(`${point.operation}: no call ${point.nth} of ${point.call}; ${refusal ?? node.last_error}`);
}

/** Starts the conductor again when it has been killed; the operation may also end without coming to that. */
async function startAgainAfter(killed: Promise<void>, site: CinderSite): Promise<void> {
  const died = killed.then(() => true);
  const ended = site.settled().then(
    () => false,
    () => died,
  );
  if (await Promise.race([died, ended])) await site.startAgain();
}

/** @returns what settles when the conductor has been killed; undefined when it is not going to be. */
function inject(
  site: CinderSite,
  { call, nth }: FaultPoint,
  name: FaultName,
  ended: Promise<void>,
): Promise<void> | undefined {
  const rule = (fault: ProxyFault): FaultRule => ({ call, nth, fault });
  const { proxy } = site;
  if (name === 'late') {
    proxy.inject(rule({ kind: 'delay', until: ended }));
    return undefined;
  }
  if (name !== 'kill before' && name !== 'kill after') {
    proxy.inject(rule(immediate[name]));
    return undefined;
  }
  const moment: Moment = name === 'kill before' ? 'before' : 'after';
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.inject(rule({ kind: 'drop', moment }));
  proxy.onCall = async (seen, at) => {
    if (seen.name === call && seen.nth === nth && at === moment) resolve(site.kill());
  };
  return promise;
}

/** Says what became of the volumes: a word for the end that was wanted, or for what stands instead. */
async function describeEnd(site: CinderSite, node: NodeState, volumeIds: readonly string[]): Promise<string> {
  const { provision_state: state, power_state: power, last_error: reason } = node;
  if (state === 'active' && power === 'power on') {
    return (await areAttachedOnce(site, volumeIds)) ? 'attached' : 'unclean';
  }
  const isFree = (await site.openstack.leaks(volumeIds)).length === 0;
  if (reason === null) return isFree ? 'released' : `${state}, silent`;
  return isFree ? 'failed, free' : 'failed, held';
}

async function areAttachedOnce({ openstack }: CinderSite, volumeIds: readonly string[]): Promise<boolean> {
  const [attachments, exports] = [await openstack.attachments(), await openstack.exports()];
  return volumeIds.every((id) => {
    const own = attachments.filter(({ volume_id }) => volume_id === id);
    return own.length === 1 && exports.some(({ volumeId }) => volumeId === id);
  });
}

/** Whether `ironbark reconcile` sees of an active node what Cinder has for it. @returns sentences where it does not. */
async function compareBooks(site: CinderSite, outcome: string): Promise<readonly string[]> {
  if (outcome !== 'attached' && outcome !== 'unclean') return [];
  const findings = await site.findings();
  if (outcome === 'attached') return findings;
  return findings.length > 0 ? [] : ['A volume is not attached once, and the conductor does not know.'];
}

/** Undeploys until the node is available. @returns how many times more than once it had to be asked for. */
async function release(site: CinderSite, { provision_state: first }: NodeState): Promise<number> {
  if (first === 'available') await site.deleteTargets();
  let state = first;
  for (let request = 0; state !== 'available'; request += 1) {
    const refusal = await site.request('deleted');
    const node = await site.settled();
    state = node.provision_state;
    if (state === 'available') return first === 'error' ? request + 1 : request;
    if (request === patience) throw new Error(`The node stays ${state}: ${refusal ?? node.last_error}`);
  }
  return 0;
}

function objectKeys<Key extends string>(object: Readonly<Record<Key, unknown>>): readonly Key[] {
  return Object.keys(object) as Key[];
}
