import { IronbarkError } from '@ironbark/core';
import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { Fence } from '../store.ts';

/** SQL for "this lock still belongs to whoever holds this number". */
export function isHeld(fence: Fence): RawBuilder<SqlBool> {
  return sql`EXISTS (SELECT 1 FROM locks WHERE node_uuid = ${fence.nodeUuid} AND fence = ${fence.fence} AND owner IS NOT NULL)`;
}

export function lockLost(fence: Fence | undefined): IronbarkError {
  return new IronbarkError(
    'LOCK_LOST',
    `The lock of node ${fence?.nodeUuid ?? ''} is no longer held; another conductor has taken the node over.`,
  );
}
