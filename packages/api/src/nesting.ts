/** Deeper nesting than any description of a machine needs; bounds the recursion of whoever walks a client's value. */
export const depthAtMost = 32;

/** Whether a JSON value has more levels of objects and lists than that. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof item === 'object' && isDeeperThan(item, levels - 1)) return true;
  }
  return false;
}
