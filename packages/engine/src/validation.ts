import {
  explain,
  interfaceKinds,
  invalidParameter,
  isIronbarkError,
  type InterfaceKind,
  type Task,
} from '@ironbark/core';
import { bootChoiceOf, checkServesImage } from './operations/boot.ts';

/** What each interface of a node says about the node's records. */
export type ValidationResults = Readonly<Record<InterfaceKind, { readonly result: boolean; readonly reason?: string }>>;

/** Checks that are needed before a deployment, in the order in which their failure is most telling. */
export const deployKinds: readonly InterfaceKind[] = ['power', 'management', 'storage', 'deploy', 'boot', 'network'];

/** @throws the first failure. */
export async function validateInterfaces(task: Task, kinds: readonly InterfaceKind[]): Promise<void> {
  for (const kind of kinds)
    for (const warning of await validateInterface(task, kind)) task.log.warn({ interface: kind }, warning);
}

/** Asks every interface of a node; failures are told, not thrown. */
export async function validateAll(task: Task): Promise<ValidationResults> {
  const results = interfaceKinds.map(async (kind) => {
    const { problem, warnings } = await examineInterface(task, kind);
    const reason = problem ?? warnings.join(' ');
    return [kind, { result: problem === null, ...(reason === '' ? {} : { reason }) }] as const;
  });
  return Object.fromEntries(await Promise.all(results)) as ValidationResults;
}

/** What an interface has to say of a deployment, without an exception. */
export interface Examination {
  /** Null when it is fine. */
  readonly problem: string | null;
  readonly warnings: readonly string[];
}

export async function examineInterface(task: Task, kind: InterfaceKind): Promise<Examination> {
  try {
    return { problem: null, warnings: await validateInterface(task, kind) };
  } catch (error) {
    if (!isIronbarkError(error))
      task.log.error({ interface: kind, error: explain(error) }, 'validation failed unexpectedly');
    return { problem: explain(error), warnings: [] };
  }
}

async function validateInterface(task: Task, kind: InterfaceKind): Promise<readonly string[]> {
  if (kind === 'storage') validateVolumeSupport(task);
  // A wrong choice is told where people look for it: it concerns how the node is deployed and how it boots.
  if (kind === 'deploy' || kind === 'boot') checkServesImage(task, bootChoiceOf(task));
  return (await task.driver[kind].validate(task.forInterface(kind))) ?? [];
}

/** A node with volumes is not deployed by a driver that would ignore them. */
function validateVolumeSupport({ node, driver, volumeTargets }: Task): void {
  const [first] = volumeTargets;
  if (first === undefined) return;
  if (driver.names.storage === 'noop') {
    throw invalidParameter(
      `Node ${node.uuid} has volume target ${first.uuid}, but its storage interface noop attaches no volumes.`,
      {
        hint: 'Choose another with: openstack baremetal node set --storage-interface <name> <node>; or delete the volume targets.',
      },
    );
  }
}
