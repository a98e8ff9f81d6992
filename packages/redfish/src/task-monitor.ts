import { IronbarkError, type Logger } from '@ironbark/core';
import { poll } from '@ironbark/http';
import type { RedfishPatience } from './connection.ts';
import { readMessages } from './extended-info.ts';
import { describe } from './faults.ts';
import { isJsonObject, textAt } from './json.ts';
import type { RedfishHttp, RedfishReply, RedfishRequest } from './redfish-http.ts';

export interface AcceptedRequest {
  readonly request: RedfishRequest;
  /** The answer with status 202. */
  readonly reply: RedfishReply;
  readonly look: (path: string) => Promise<RedfishReply>;
  readonly patience: RedfishPatience;
  readonly log: Logger;
}

const failedStates = new Set(['Exception', 'Killed', 'Cancelled', 'Cancelling', 'Interrupted', 'Stopping']);
const finishedStates = new Set(['Completed', ...failedStates]);

/**
 * Waits for what a service does after it has answered 202: DSP0266, "Asynchronous operations". `Location` names a monitor, which
 * answers 202 as long as the work goes on; some services name the Task resource itself, whose TaskState tells. Where there is
 * neither, or the service has forgotten the task, the caller has to look for the effect.
 * @throws BMC_FAILURE with the messages of a task that failed, or when it took longer than `taskTimeoutMs`.
 */
export async function awaitTask(http: RedfishHttp, accepted: AcceptedRequest): Promise<void> {
  const { request, reply, look, patience, log } = accepted;
  const path = reply.headers.get('location') ?? taskLink(reply.body);
  if (path === undefined) {
    log.debug({ bmc: http.address, path: request.path }, 'The BMC named no task for what it accepted.');
    return;
  }
  const result = await poll(async () => finished(await look(path)), {
    intervalMs: patience.pollIntervalMs,
    timeoutMs: patience.taskTimeoutMs,
    signal: request.signal,
    where: describe({ address: http.address, method: request.method, path: request.path }),
  });
  if (result === undefined) {
    throw taskFault(http, request, `is not done after ${patience.taskTimeoutMs / 1000} s`, '');
  }
  if (result.status === 404 || result.status === 410) {
    log.debug({ bmc: http.address, path }, 'The BMC has forgotten the task.');
    return;
  }
  if (result.status >= 400) throw http.fault({ method: 'GET', path }, result);
  const state = taskState(result.body);
  if (state === undefined || !failedStates.has(state)) return;
  throw taskFault(http, request, `ended as ${state}`, readMessages(result.body).text);
}

function finished(reply: RedfishReply): RedfishReply | undefined {
  const state = taskState(reply.body);
  if (reply.status >= 400) return reply;
  const isDone = state === undefined ? reply.status !== 202 : finishedStates.has(state);
  return isDone ? reply : undefined;
}

function taskState(body: unknown): string | undefined {
  return isJsonObject(body) ? textAt(body, 'TaskState') : undefined;
}

function taskLink(body: unknown): string | undefined {
  if (!isJsonObject(body) || taskState(body) === undefined) return undefined;
  return textAt(body, 'TaskMonitor') ?? textAt(body, '@odata.id');
}

function taskFault(http: RedfishHttp, request: RedfishRequest, problem: string, text: string): IronbarkError {
  const what = describe({ address: http.address, method: request.method, path: request.path });
  return new IronbarkError('BMC_FAILURE', `${what}: the task of the BMC ${problem}${text === '' ? '.' : `: ${text}`}`, {
    hint: "Look into the BMC's task list and log.",
    details: { address: http.address, method: request.method, path: request.path },
  });
}
