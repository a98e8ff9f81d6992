import type { AttachmentFinding } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import { hasBooks, reconcile } from './reconcile.ts';
import type { ReconcileReport } from './report.ts';

interface Line {
  /** Node or storage interface that it is about. */
  readonly about: string;
  readonly facts: object;
  readonly message: string;
}

/** Compares all nodes and writes into the log what is new since the last time. Repairs nothing. */
export class ReconcileCheck {
  readonly #context: EngineContext;
  #told: ReadonlyMap<string, Line> = new Map();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (!hasBooks(this.#context)) return;
    const report = await reconcile(this.#context, null, { repair: false, signal });
    const lines = linesOf(report);
    for (const [key, { facts, message }] of lines) if (!this.#told.has(key)) this.#context.log.warn(facts, message);
    // What was found where nobody could look this time is still so, as far as anybody knows.
    const unseen = new Set([
      ...report.nodes.flatMap(({ nodeUuid, skipped }) => (skipped === null ? [] : [nodeUuid])),
      ...report.orphans.flatMap(({ storageInterface, failure }) => (failure === null ? [] : [storageInterface])),
    ]);
    this.#told = new Map([...[...this.#told].filter(([, { about }]) => unseen.has(about)), ...lines]);
  }
}

/** What there is to say, each under a key that stays the same while nothing changes. */
function linesOf({ nodes, orphans }: ReconcileReport): ReadonlyMap<string, Line> {
  return new Map([
    ...nodes.flatMap(({ nodeUuid, findings }) => findings.map((finding) => findingLine(finding, nodeUuid))),
    ...orphans.flatMap(({ storageInterface, findings }) =>
      findings.map((finding) => findingLine(finding, storageInterface)),
    ),
    ...nodes.flatMap(({ nodeUuid, skipped }) => {
      if (skipped?.reason !== 'failed') return [];
      const facts = { node: nodeUuid, error: skipped.explanation };
      return [failureLine(nodeUuid, facts, 'a node could not be compared with its storage')];
    }),
    ...orphans.flatMap(({ storageInterface, failure }) => {
      if (failure === null) return [];
      const facts = { storage: storageInterface, error: failure };
      return [failureLine(storageInterface, facts, 'volumes of unknown nodes could not be looked for')];
    }),
  ]);
}

function findingLine(finding: AttachmentFinding, about: string): [string, Line] {
  const { kind, nodeUuid, volumeId, attachmentId, isOurs, explanation } = finding;
  const facts = { node: nodeUuid, kind, volume: volumeId, attachment: attachmentId, ours: isOurs };
  const key = [kind, nodeUuid, volumeId, attachmentId].join(' ');
  return [key, { about, facts, message: `storage and records disagree: ${explanation}` }];
}

function failureLine(about: string, facts: object, message: string): [string, Line] {
  return [`failure ${about}`, { about, facts, message }];
}
