import { invalidParameter, IronbarkError, type ErrorCode, type Task } from '@ironbark/core';
import type { Clock } from './clock.ts';
import { isReading, nodeOptions, type FakeStep, type NodeOptions } from './node-options.ts';
import { RecentMap } from './recent-map.ts';
import type { FakeSettings } from './settings.ts';

const maxCounters = 50_000;
const codes: Readonly<Record<string, ErrorCode>> = {
  power: 'BMC_FAILURE',
  management: 'BMC_FAILURE',
  boot: 'DEPLOY_FAILURE',
  deploy: 'DEPLOY_FAILURE',
};

/** Makes a step wait and fail as the settings and the node say, before it changes anything. */
export class StepRunner {
  readonly #settings: FakeSettings;
  readonly #clock: Clock;
  readonly #attempts = new RecentMap<number>(maxCounters);

  constructor(settings: FakeSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * @param limitMs the step takes at most this long. Default: no limit.
   * @returns the node's options, and whether the step is over before the limit.
   * @throws BMC_UNREACHABLE, BMC_FAILURE or DEPLOY_FAILURE when the step has to fail; the signal's reason when it is aborted.
   */
  async begin(task: Task, step: FakeStep, limitMs = Infinity): Promise<{ options: NodeOptions; inTime: boolean }> {
    const options = nodeOptions(task.node);
    task.signal.throwIfAborted();
    if (options.isUnreachable && /^(power|management)\./.test(step)) throw unreachable(task);
    const delayMs = options.delayMs(step) ?? (isReading(step) ? 0 : this.#settings.delay_ms);
    const waitMs = Math.min(delayMs, limitMs);
    if (waitMs > 0) await this.#clock.sleep(waitMs, task.signal);
    if (options.fails(step)) throw failed(task, step, 'fails because driver_info/fake_fail says so');
    if (this.#drawsFailure(task, step)) throw failed(task, step, 'fails because of settings.fake.failure_rate');
    return { options, inTime: delayMs <= limitMs };
  }

  /** The part of `validate` that the fake interfaces share. @throws INVALID_PARAMETER. */
  validate(task: Task, step: FakeStep): void {
    if (!nodeOptions(task.node).fails(step)) return;
    throw invalidParameter(`Step ${step} of node ${task.node.uuid} fails because driver_info/fake_fail says so.`, {
      hint: 'Take it out of driver_info/fake_fail.',
    });
  }

  wait(task: Task, ms: number): Promise<void> {
    return this.#clock.sleep(ms, task.signal);
  }

  /** The same seed, node, step and attempt give the same answer, in whatever order nodes are worked on. */
  #drawsFailure(task: Task, step: FakeStep): boolean {
    const { failure_rate: rate, seed } = this.#settings;
    if (rate === 0 || isReading(step)) return false;
    const key = `${task.node.uuid}/${step}`;
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    return hash(`${seed}/${key}/${attempt}`) / 2 ** 32 < rate;
  }
}

/** FNV-1a with the finalizer of MurmurHash3, which spreads what differs in the last characters only. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of Buffer.from(text)) value = Math.imul(value ^ character, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function failed(task: Task, step: FakeStep, problem: string): IronbarkError {
  const code = codes[step.slice(0, step.indexOf('.'))] ?? 'INTERNAL';
  return new IronbarkError(code, `Step ${step} of node ${task.node.uuid} ${problem}.`, {
    hint: 'This machine is a fake; try again, or change its configuration.',
    retryable: true,
  });
}

function unreachable(task: Task): IronbarkError {
  return new IronbarkError('BMC_UNREACHABLE', `The fake BMC of node ${task.node.uuid} does not answer.`, {
    hint: 'Take driver_info/fake_unreachable away.',
    retryable: true,
  });
}
