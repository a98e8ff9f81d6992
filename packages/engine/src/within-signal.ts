import { IronbarkError } from '@ironbark/core';

/** How long a driver may take to obey its signal; after that its work counts as ended without it. */
const obeyMs = 5000;

/** Waits for a driver, which has to end soon when its signal is aborted. @throws OPERATION_TIMEOUT when it does not. */
export async function withinSignal<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(
      () => reject(new IronbarkError('OPERATION_TIMEOUT', 'The driver did not obey its signal.')),
      obeyMs,
    );
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}
