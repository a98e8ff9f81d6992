import { startOpenStack } from '@ironbark/lab/openstack';
import { describe, expect, it, vi } from 'vitest';
import { formatTable } from '../bench/table.ts';
import { canHappen, changes, faultNames, recordCalls, runCell, type Cell, type FaultPoint } from './fault-cell.ts';
import { CinderSite } from './cinder-site.ts';

// Many rows, each with waits: minutes on an idle host, far more on a busy one.
vi.setConfig({ testTimeout: 2_400_000 });

const mostVolumes = 3;
/** Conductors that work on the rows of one protocol. */
const siteCount = 4;

const nothing: Cell = { outcome: '', problems: [] };
const impatience = {
  /** Long enough for Cinder on a busy host, short enough to wait for it at every late call. */
  url_timeout: 5,
  /** Every fault reaches the driver, instead of a repetition of the request. */
  retries: 0,
  action_retries: 1,
};

interface Row {
  readonly point: FaultPoint;
  readonly outcomes: string[];
}

/**
 * For one volume: every call of a deployment and an undeployment, and those of power actions that change something. For three, which
 * are worked on at once: the second call of each kind that changes something in a deployment or an undeployment.
 */
async function faultPoints(site: CinderSite): Promise<readonly FaultPoint[]> {
  await recordCalls(site, 1); // asks for the versions of the API, once
  const one = await recordCalls(site, 1);
  const several = await recordCalls(site, mostVolumes);
  return [
    ...one.filter((point) => !isPowerAction(point) || changes(point)),
    ...several.filter((point) => !isPowerAction(point) && changes(point) && point.nth === 2),
  ];
}

function isPowerAction({ operation }: FaultPoint): boolean {
  return operation.startsWith('power');
}

/** Runs all rows with all faults. @returns the rows, and a sentence for each cell that did not recover. */
async function runRows(
  protocol: 'attachments' | 'volume-actions',
): Promise<{ readonly rows: readonly Row[]; readonly problems: readonly string[] }> {
  // Cinder works on one call at a time, so each protocol has one of its own.
  await using openstack = await startOpenStack();
  await using stack = new AsyncDisposableStack();
  const sites: CinderSite[] = [];
  for (let index = 0; index < siteCount; index += 1) {
    const site = await CinderSite.start(openstack, mostVolumes, { ...impatience, attachment_api: protocol });
    stack.defer(() => site.stop());
    sites.push(site);
  }
  const [first] = sites;
  const points = first === undefined ? [] : await faultPoints(first);
  const rows = points.map((point): Row => ({ point, outcomes: [] }));
  const problems: string[] = [];
  const waiting = [...rows];
  const work = async (site: CinderSite) => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      for (const fault of faultNames) {
        const cell = canHappen(row.point, fault) ? await runCell(site, row.point, fault) : nothing;
        row.outcomes.push(cell.problems.length === 0 ? cell.outcome : `${cell.outcome}, LEFT`);
        problems.push(...cell.problems.map((problem) => `${rowName(row.point).join(' ')}, ${fault}: ${problem}`));
      }
    }
  };
  await Promise.all(sites.map(work));
  return { rows, problems };
}

function rowName({ operation, volumes, call, nth }: FaultPoint): readonly string[] {
  return [operation, String(volumes), nth === 1 ? call : `${call} #${nth}`];
}

describe.concurrent('when a call to Cinder goes wrong, or the conductor is killed at it', () => {
  it.each(['attachments', 'volume-actions'] as const)(
    'no volume is left over after the recovery, by %s',
    async (protocol) => {
      const { rows, problems } = await runRows(protocol);
      const lines = rows.map(({ point, outcomes }) => rowName(point).concat(outcomes));
      console.log(`${protocol}\n${formatTable(['', 'volumes', 'call', ...faultNames], lines)}`);
      expect(problems).toEqual([]);
    },
  );
});
