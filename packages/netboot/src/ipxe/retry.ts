import { secretText, type BootReportUrl } from '@ironbark/core';
import { inexpressible, ipxeWord } from './ipxe-value.ts';
import type { Line } from './script-text.ts';

export interface RetryOptions {
  /** The wait before the second attempt; every further wait is longer by as much. */
  readonly delaySeconds: number;
}

interface Retry extends RetryOptions {
  readonly label: string;
  readonly entry: string;
  /** What failed, for the console. */
  readonly failed: string;
}

/** A label that waits longer each time before the next attempt, and goes to `fail` after the last one. Expects `failure`. */
export function retryLines(retry: Retry): readonly Line[] {
  return [
    `:${retry.label}`,
    'iseq ${i} ${attempts} && goto fail ||',
    `inc delay ${retry.delaySeconds}`,
    `echo ${retry.failed}: \${failure} (attempt \${i} of \${attempts})`,
    'echo Trying again in ${delay} seconds.',
    'sleep ${delay} ||',
    `goto ${retry.entry}`,
  ];
}

/** A silent server must not hold the machine; the report is a courtesy. */
const reportTimeoutMs = 10_000;

/**
 * The label `fail`: tells the conductor which error stopped the boot and starts the machine over after a while, so that it comes up by
 * itself once the storage does. It never goes on to another boot device: what is on a local disk is not this node's system.
 */
export function failLines(report: BootReportUrl | null, rebootDelaySeconds: number): readonly Line[] {
  return [
    ':fail',
    'echo Giving up after attempt ${i}: ${failure}',
    ...(report === null ? [] : [reportLine(report), 'imgfree']),
    `echo Rebooting in ${rebootDelaySeconds} seconds.`,
    `sleep ${rebootDelaySeconds} ||`,
    'reboot',
  ];
}

function reportLine({ prefix, token }: BootReportUrl): Line {
  if (!/^https?:\/\/[^\s#]+$/.test(ipxeWord(prefix, 'address of boot reports'))) {
    throw inexpressible('address of boot reports', 'is no http or https URL');
  }
  if (!/^[\w.~-]{1,255}$/.test(token.reveal())) {
    throw inexpressible('token of the boot report', 'holds other characters than a URL may');
  }
  const separator = prefix.includes('?') ? '&' : '?';
  const query = `${separator}errno=\${failure}&drive=\${drive}`;
  return secretText`imgfetch --name boot-report --timeout ${reportTimeoutMs} ${prefix}${token}${query} ||`;
}
