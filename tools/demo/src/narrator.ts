interface Scene {
  readonly title: string;
  readonly seconds: number;
}

/** Tells on the terminal what happens, and sums it up at the end. */
export class Narrator {
  readonly #begun = performance.now();
  readonly #scenes: Scene[] = [];

  say(text: string): void {
    console.log(text);
  }

  /** Runs a part of the demo and prints how long it took. */
  async scene<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
    const begun = performance.now();
    console.log(`${this.#clock()}  ${title} …`);
    const result = await work();
    this.#scenes.push({ title, seconds: (performance.now() - begun) / 1000 });
    return result;
  }

  /** A step of an operation has ended. */
  step(name: string, state: string, durationMs: number): void {
    console.log(
      `${this.#clock()}    ${state === 'succeeded' ? '✔' : '✘'} ${name.padEnd(28)} ${String(durationMs).padStart(6)} ms`,
    );
  }

  /** A line of the machine's serial console. */
  console(line: string): void {
    console.log(`${this.#clock()}    │ ${line}`);
  }

  /** Prints what was done as a table. */
  summary(): void {
    const width = Math.max(...this.#scenes.map(({ title }) => title.length));
    console.log(`\n${'done'.padEnd(width)}  seconds`);
    for (const { title, seconds } of this.#scenes)
      console.log(`${title.padEnd(width)}  ${seconds.toFixed(1).padStart(7)}`);
    console.log(`${'in all'.padEnd(width)}  ${this.#seconds().toFixed(1).padStart(7)}`);
  }

  #seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  #clock(): string {
    return `${this.#seconds().toFixed(1).padStart(6)} s`;
  }
}
