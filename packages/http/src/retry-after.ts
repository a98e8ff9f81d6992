/**
 * How long an answer asks to wait, in milliseconds: RFC 9110 section 10.2.3, seconds or a date.
 * @returns undefined when it does not say.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // A date begins with the day of the week; Date.parse would read one out of -1 and 1.5 too.
  const ms = /^[a-z]/i.test(value) ? Date.parse(value) - Date.now() : NaN;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
