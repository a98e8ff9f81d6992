/** What goes wrong with the requests that match. */
export type Fault = FaultScope &
  (
    | {
        readonly kind: 'status';
        readonly status: number;
        /** Whether the change is made before the error is sent. Default: false. */
        readonly afterEffect?: boolean;
      }
    | { readonly kind: 'delay'; readonly milliseconds: number }
    /** The connection ends without an answer. */
    | { readonly kind: 'drop'; readonly afterEffect?: boolean }
  );

export interface FaultScope {
  /** How many requests it hits. Default: all. */
  readonly times?: number;
  /** Default: every method. */
  readonly method?: string;
  /** Of the path. Default: every path. */
  readonly path?: RegExp;
}

/** Faults for the requests to one system and its manager, or to a whole BMC. */
export class Faults {
  readonly #queue: { readonly fault: Fault; left: number }[] = [];

  /** Faults are used up in the order in which they were added; a delay lets the next one take effect as well. */
  add(fault: Fault): void {
    this.#queue.push({ fault, left: fault.times ?? Infinity });
  }

  clear(): void {
    this.#queue.length = 0;
  }

  /** Takes the faults that hit a request. */
  take(method: string, path: string): readonly Fault[] {
    const hits: Fault[] = [];
    for (const entry of this.#queue) {
      const { fault } = entry;
      if (entry.left === 0 || (fault.method !== undefined && fault.method !== method)) continue;
      if (fault.path !== undefined && !fault.path.test(path)) continue;
      entry.left -= 1;
      hits.push(fault);
      if (fault.kind !== 'delay') break;
    }
    return hits;
  }
}
