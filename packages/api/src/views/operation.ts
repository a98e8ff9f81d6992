import type { Operation, Step } from '@ironbark/store';
import type { Plan } from '@ironbark/engine';
import type { Wire } from './selection.ts';

export function renderOperation(operation: Operation, base: string): Wire {
  return {
    uuid: operation.uuid,
    node_uuid: operation.nodeUuid,
    verb: operation.verb,
    state: operation.state,
    steps: operation.steps.map(renderStep),
    parameters: operation.parameters,
    error: operation.error,
    created_at: operation.createdAt,
    finished_at: operation.finishedAt,
    links: [
      { href: `${base}/ironbark/v1/operations/${operation.uuid}`, rel: 'self' },
      { href: `${base}/v1/nodes/${operation.nodeUuid}`, rel: 'node' },
    ],
  };
}

function renderStep(step: Step): Wire {
  return {
    name: step.name,
    state: step.state,
    compensation: step.compensation,
    attempts: step.attempts,
    started_at: step.startedAt,
    finished_at: step.finishedAt,
    error: step.error,
  };
}

export function renderPlan(plan: Plan): Wire {
  const { artifacts } = plan;
  return {
    node_uuid: plan.nodeUuid,
    problems: plan.problems,
    warnings: plan.warnings,
    steps: plan.steps.map(({ name, summary }) => ({ name, summary })),
    storage: plan.storage.map(({ target, action }) => ({ target, action })),
    boot_source: plan.bootSource,
    artifacts:
      artifacts === null
        ? null
        : {
            files: artifacts.files.map(({ root, path, content }) => ({ root, path, content })),
            links: artifacts.links.map(({ root, path, target }) => ({ root, path, target })),
            boot_device: artifacts.bootDevice,
            warnings: artifacts.warnings,
          },
  };
}
