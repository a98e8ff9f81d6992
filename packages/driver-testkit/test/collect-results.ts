import type { TestRunner } from '../src/power.ts';

/** Title of a test to its failure; null when it passed. */
export type Results = ReadonlyMap<string, Error | null>;

/** Runs a suite as a test runner would, one test after the other, without a runner. */
export async function collectResults(register: (runner: TestRunner) => void): Promise<Results> {
  const tests: { readonly title: string; readonly body: () => Promise<void> }[] = [];
  const path: string[] = [];
  register({
    describe(title, body) {
      path.push(title);
      body();
      path.pop();
    },
    it: (title, body) => tests.push({ title: [...path.slice(1), title].join(' > '), body }),
  });
  const results = new Map<string, Error | null>();
  for (const { title, body } of tests) {
    if (results.has(title)) throw new Error(`two tests have the title "${title}"`);
    results.set(title, await outcomeOf(body));
  }
  return results;
}

async function outcomeOf(body: () => Promise<void>): Promise<Error | null> {
  try {
    await body();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

export function failuresIn(results: Results): readonly string[] {
  return [...results].filter(([, failure]) => failure !== null).map(([title]) => title);
}
