import {
  explain,
  initiatorOf,
  Secret,
  type BootArtifacts,
  type BootChoice,
  type BootImage,
  type BootSource,
  type FirmwareRequest,
  type PlannedCall,
  type StoragePlan,
  type Task,
  type VolumeTarget,
} from '@ironbark/core';
import type { EngineContext } from './context.ts';
import { findNode } from './node-lock.ts';
import { bootChoiceOf, bootReportPrefix, describeImage, sourceOf } from './operations/boot.ts';
import { provisionDefinitions } from './operations/definitions.ts';
import { stepDefinitions } from './operations/steps.ts';
import { nodeProtected } from './services/nodes.ts';
import { nextState } from './state-machine.ts';
import { createTask } from './task.ts';
import { deployKinds, examineInterface } from './validation.ts';

/** What a deployment of a node would do now. Prints without secrets. */
export interface Plan {
  readonly nodeUuid: string;
  /** Why the deployment would be refused; empty when it would begin. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly steps: readonly PlannedStep[];
  readonly storage: readonly PlannedCall[];
  /** Kind of the boot source; null when it cannot be decided, or not before the boot volume is attached. */
  readonly bootSource: BootSource['kind'] | null;
  /** Boot mode and Secure Boot that are set before the start; null when they cannot be decided. */
  readonly firmware: FirmwareRequest | null;
  readonly artifacts: BootArtifacts | null;
}

export interface PlannedStep {
  readonly name: string;
  readonly summary: string;
}

/** Computes the plan of a deployment; touches nothing. */
export async function planDeployment(context: EngineContext, ident: string): Promise<Plan> {
  const node = await findNode(context, ident);
  const task = await createTask(context, node, { scope: 'engine' });
  const examined = await Promise.all(deployKinds.map((kind) => examineInterface(task, kind)));
  const problems = [...stateProblems(task), ...examined.flatMap(({ problem }) => problem ?? [])];
  const storage = await attempt(problems, () => task.driver.storage.plan(task.forInterface('storage')));
  const choice = await attempt(problems, () => bootChoiceOf(task));
  const unconnected = unconnectedTarget(choice, storage);
  // Asked for in any case: a part that is missing fails the deployment, known or not what the volume's connection is.
  const image = choice && (await attempt(problems, () => describeImage(task, choice)));
  const source =
    storage === undefined || choice === undefined || image === undefined || unconnected !== undefined
      ? undefined
      : await attempt(problems, () => sourceOf(task, choice, storage.volumes, image));
  const artifacts = source === undefined ? undefined : await attempt(problems, () => render(context, task, source));
  return {
    nodeUuid: node.uuid,
    problems: [...new Set(problems)],
    warnings: [
      ...new Set([
        ...initiatorWarnings(task),
        ...examined.flatMap(({ warnings }) => warnings),
        ...(storage?.warnings ?? []),
        ...(storage === undefined || unconnected === undefined ? [] : [undecided(unconnected)]),
        ...(artifacts?.warnings ?? []),
      ]),
    ],
    steps: (provisionDefinitions.deploy?.steps ?? []).map((name) => ({ name, summary: stepDefinitions[name].summary })),
    storage: storage?.calls ?? [],
    bootSource: source?.kind ?? null,
    firmware: choice?.firmware ?? null,
    artifacts: artifacts === undefined ? null : { ...artifacts, images: (artifacts.images ?? []).map(withoutQuery) },
  };
}

/** The query of a signed URL is a credential. */
function withoutQuery(placed: BootImage): BootImage {
  const { image } = placed;
  return image.kind === 'url' ? { ...placed, image: { ...image, url: image.url.replace(/\?.*$/s, '?…') } } : placed;
}

function stateProblems({ node }: Task): readonly string[] {
  const problems: string[] = [];
  if (node.maintenance) problems.push(`Node ${node.uuid} is in maintenance.`);
  const isRedeployed = nextState(node.provisionState, 'deploy') === undefined;
  if (isRedeployed && nextState(node.provisionState, 'rebuild') === undefined) {
    problems.push(`Node ${node.uuid} is in state "${node.provisionState}", which does not allow a deployment.`);
  }
  if (isRedeployed && node.protected) problems.push(nodeProtected(node).message);
  return problems;
}

function undecided({ uuid, volumeId }: VolumeTarget): string {
  return `What the machine boots from is decided when volume ${volumeId} (volume target ${uuid}) is attached: its connection is not known before, so nothing is rendered.`;
}

function initiatorWarnings(task: Task): readonly string[] {
  try {
    return initiatorOf(task.volumeConnectors).warnings;
  } catch {
    return []; // told among the problems
  }
}

async function render(context: EngineContext, task: Task, source: BootSource): Promise<BootArtifacts> {
  const apiUrl = await context.apiUrl();
  const reportUrl =
    apiUrl === null
      ? null
      : { prefix: bootReportPrefix(apiUrl, task.node.uuid), token: Secret.of('issued-at-deployment') };
  return task.driver.boot.render(task, { source, reportUrl });
}

/** The target that the node boots from when its connection is not known yet. A host bus adapter needs none of ours. */
function unconnectedTarget(choice: BootChoice | undefined, storage: StoragePlan | undefined): VolumeTarget | undefined {
  if (choice === undefined || choice.volumeTarget === null || choice.kind === 'hba') return undefined;
  const { volumeTarget } = choice;
  return storage?.volumes.some(({ target }) => target.uuid === volumeTarget.uuid) ? undefined : volumeTarget;
}

async function attempt<Result>(problems: string[], work: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    problems.push(explain(error));
    return undefined;
  }
}
