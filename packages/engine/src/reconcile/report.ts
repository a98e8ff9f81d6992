import type { AttachmentFinding } from '@ironbark/core';

/** What our records and the storage services say of each other. */
export interface ReconcileReport {
  readonly nodes: readonly NodeComparison[];
  /** Volumes that are marked as attached to nodes that do not exist here; empty when a single node was compared. */
  readonly orphans: readonly OrphanSearch[];
}

export interface NodeComparison {
  readonly nodeUuid: string;
  readonly name: string | null;
  readonly storageInterface: string;
  readonly findings: readonly AttachmentFinding[];
  /** Null when the node was compared. */
  readonly skipped: SkippedNode | null;
  /** Why nothing was released although a repair was asked for; null when nothing stood in the way. */
  readonly repairWithheld: string | null;
}

export interface SkippedNode {
  /** `no_books`: its storage interface has nothing that could be compared. */
  readonly reason: 'locked' | 'no_books' | 'failed';
  /** A sentence. */
  readonly explanation: string;
}

export interface OrphanSearch {
  readonly storageInterface: string;
  readonly findings: readonly AttachmentFinding[];
  /** Why the search failed; null when it did not. */
  readonly failure: string | null;
}

/** All findings of a report that have not been put right. */
export function openFindings({ nodes, orphans }: ReconcileReport): readonly AttachmentFinding[] {
  return [...nodes, ...orphans].flatMap(({ findings }) => findings.filter(({ isRepaired }) => !isRepaired));
}
