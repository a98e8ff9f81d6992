import type { Narrator } from './narrator.ts';

interface StepFinished {
  readonly step: string;
  readonly state: string;
  readonly duration_ms: number;
}

/** Tells the steps of all operations as the conductor's event stream reports them, until it is disposed. */
export function followOperations(url: string, narrator: Narrator): AsyncDisposable {
  const abort = new AbortController();
  const following = follow(url, narrator, abort.signal).catch(() => undefined); // the stream ends with the conductor
  return {
    async [Symbol.asyncDispose]() {
      abort.abort();
      await following;
    },
  };
}

async function follow(url: string, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${url}/ironbark/v1/events`, { signal });
  let rest = '';
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) tell(block, narrator);
  }
}

function tell(block: string, narrator: Narrator): void {
  const lines = block.split('\n');
  const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length);
  if (data === undefined || !lines.includes('event: step.finished')) return;
  const { step, state, duration_ms: durationMs } = (JSON.parse(data) as { data: StepFinished }).data;
  narrator.step(step, state, durationMs);
}
