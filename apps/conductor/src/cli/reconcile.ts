import { randomBytes } from 'node:crypto';
import { IronbarkError, type AttachmentFinding } from '@ironbark/core';
import { openFindings, type NodeComparison, type ReconcileReport } from '@ironbark/engine';
import { composeConductor } from '../compose.ts';
import { loadConfig } from '../config/load.ts';
import { createLog } from '../log.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { formatTable, print, printJson } from './print.ts';

interface Options {
  readonly site: string;
  readonly repair?: true;
  readonly json?: true;
}

/** Compares the records with the storage services, beside a conductor or without one. */
export async function reconcile(node: string | undefined, { site, repair, json }: Options): Promise<ExitCode> {
  const config = loadConfig(site);
  // Relative paths in the settings of plugins start at the site, as in `serve`.
  process.chdir(config.siteDirectory);
  const log = createLog({ ...config.log, level: 'warn' });
  // In containers every run has the same pid, and a lock that was left behind is never free for its own owner.
  const besideAs = `${config.hostname}/reconcile-${process.pid}-${randomBytes(4).toString('hex')}`;
  const conductor = await composeConductor(config, { log, apiUrl: async () => null, besideAs });
  const stop = stopSignal();
  try {
    const report = await conductor.engine.reconcile(node ?? null, { repair: repair === true, signal: stop.signal });
    if (json) printJson(report);
    else print(formatReport(report, node !== undefined));
    return exitCodeOf(report);
  } finally {
    stop.release();
    await conductor.dispose();
  }
}

/** Aborted by the first SIGINT or SIGTERM, so that locks are released; the second one ends the process at once. */
function stopSignal(): { readonly signal: AbortSignal; release(): void } {
  const abort = new AbortController();
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const obey = (signal: NodeJS.Signals) => {
    if (abort.signal.aborted) process.exit(exitCodes.failure);
    abort.abort(
      new IronbarkError('OPERATION_ABORTED', `The comparison was stopped by ${signal}.`, {
        hint: 'Nodes that were compared before may have been repaired; run it again to see what is left.',
      }),
    );
  };
  for (const each of signals) process.on(each, obey);
  return {
    signal: abort.signal,
    release: () => {
      for (const each of signals) process.removeListener(each, obey);
    },
  };
}

function exitCodeOf(report: ReconcileReport): ExitCode {
  if (openFindings(report).length > 0) return exitCodes.findings;
  const isComplete =
    report.nodes.every(({ skipped }) => skipped === null || skipped.reason === 'no_books') &&
    report.orphans.every(({ failure }) => failure === null);
  return isComplete ? exitCodes.success : exitCodes.failure;
}

function formatReport(report: ReconcileReport, isOneNode: boolean): string {
  const { nodes, orphans } = report;
  const nameOf = ({ nodeUuid }: Pick<NodeComparison, 'nodeUuid'>) =>
    nodes.find((one) => one.nodeUuid === nodeUuid)?.name ?? nodeUuid;
  const findings = [...nodes, ...orphans].flatMap((one) => one.findings);
  const rows = findings.map((finding) => rowOf(finding, nameOf(finding)));
  const table =
    rows.length === 0
      ? []
      : [formatTable([['NODE', 'KIND', 'VOLUME', 'ATTACHMENT', 'OURS', 'STATE', 'FINDING'], ...rows])];
  const remarks = [
    ...nodes.flatMap((node) => (node.repairWithheld === null ? [] : [`${nameOf(node)}: ${node.repairWithheld}`])),
    ...nodes.flatMap((node) => {
      const { skipped } = node;
      // Of all nodes, those that nothing is kept of are nobody's interest.
      if (skipped === null || (skipped.reason === 'no_books' && !isOneNode)) return [];
      return [`${nameOf(node)}: not compared. ${skipped.explanation}`];
    }),
    ...orphans.flatMap(({ storageInterface, failure }) =>
      failure === null ? [] : [`${storageInterface}: volumes of unknown nodes could not be looked for. ${failure}`],
    ),
  ];
  return [...table, ...(remarks.length > 0 ? [remarks.join('\n')] : []), summaryOf(report, findings)].join('\n\n');
}

function rowOf(finding: AttachmentFinding, node: string): readonly string[] {
  const { kind, volumeId, attachmentId, isOurs, isRepaired, explanation } = finding;
  return [
    node,
    kind,
    volumeId,
    attachmentId ?? '-',
    isOurs ? 'yes' : 'no',
    isRepaired ? 'repaired' : 'left',
    explanation,
  ];
}

function summaryOf(report: ReconcileReport, findings: readonly AttachmentFinding[]): string {
  const compared = report.nodes.filter(({ skipped }) => skipped === null).length;
  const left = openFindings(report).length;
  return `Compared ${compared} of ${report.nodes.length} nodes: ${findings.length} findings, ${findings.length - left} repaired, ${left} left.`;
}
