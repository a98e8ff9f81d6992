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

/** Objects, lists and items in a body; a record of a machine has some hundreds. */
const partsAtMost = 100_000;

const quote = 0x22;
const backslash = 0x5c;
const openers = new Set([0x5b, 0x7b]);
const closers = new Set([0x5d, 0x7d]);
const comma = 0x2c;

/**
 * Whether JSON text is small enough to be parsed: a body of many megabytes may be one long text, but not millions of parts, whose
 * parsing would stop the service for seconds.
 */
export function isCheapToParse(text: string): boolean {
  let depth = 0;
  let parts = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) index = endOfText(text, index);
    else if (openers.has(code)) depth += 1;
    else if (closers.has(code)) depth -= 1;
    if (code === comma || openers.has(code)) parts += 1;
    if (depth > depthAtMost || parts > partsAtMost) return false;
  }
  return true;
}

/** Position of the quote that ends the text that begins at a position. */
function endOfText(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
