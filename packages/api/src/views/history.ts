import type { HistoryEntry } from '@ironbark/store';
import type { Wire } from './selection.ts';

/** Longest text of an event that the list without detail shows. */
const shownLength = 255;

export function renderHistoryEntry(entry: HistoryEntry, base: string, detail: boolean): Wire {
  const { uuid, event } = entry;
  const links = [{ href: `${base}/v1/nodes/${entry.nodeUuid}/history/${uuid}`, rel: 'self' }];
  if (!detail) {
    const shown = event.length > shownLength ? `${event.slice(0, shownLength - 3)}...` : event;
    return { uuid, created_at: entry.createdAt, severity: entry.severity, event: shown, links };
  }
  return {
    uuid,
    created_at: entry.createdAt,
    severity: entry.severity,
    event_type: entry.eventType,
    event,
    conductor: entry.conductor,
    user: entry.user,
    links,
  };
}
