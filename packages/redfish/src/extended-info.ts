import type { Secret } from '@ironbark/core';
import { oneLine } from '@ironbark/http';
import { isJsonObject, objectAt, objectsAt, textAt, textsAt, type JsonObject } from './json.ts';

/** What a BMC says about a request: DSP0266, "Extended information". */
export interface BmcMessages {
  /** Ids without their registry and version, for example `PropertyValueNotInList`. */
  readonly ids: readonly string[];
  /** One line for people; empty when the BMC said nothing. */
  readonly text: string;
}

const annotation = '@Message.ExtendedInfo';
const maxMessages = 3;

/**
 * Reads the messages of an answer or of a task.
 * @param secrets values that the text must not repeat: a BMC may quote what it refuses.
 */
export function readMessages(body: unknown, secrets: readonly Secret[] = []): BmcMessages {
  if (!isJsonObject(body)) return { ids: [], text: '' };
  const error = objectAt(body, 'error');
  const infos = [error, body].flatMap((part) => messagesAt(part, annotation));
  const messages = infos.length > 0 ? infos : messagesAt(body, 'Messages');
  const ids = messages.flatMap((message) => textAt(message, 'MessageId')?.split('.').at(-1) ?? []);
  const lines = messages.flatMap((message) => lineOf(message) ?? []);
  const text = lines.length > 0 ? lines.slice(0, maxMessages).join(' ') : (textAt(error, 'message') ?? '');
  return { ids, text: oneLine(text, secrets) };
}

/** Whether the BMC refuses a login because it has no session left; waiting a little does not help. */
export function isSessionLimit(body: unknown): boolean {
  return readMessages(body).ids.includes('SessionLimitExceeded');
}

/** Whether a BMC says that a change counts from the next start on: `ResetRequired` of DMTF's Base registry, `SystemResetRequired` of HPE. */
export function asksForReset(body: unknown): boolean {
  return readMessages(body).ids.some((id) => /(?:Reset|Reboot)Required$/.test(id));
}

/** Some services send one object where the specification asks for a list. */
function messagesAt(part: JsonObject | undefined, key: string): readonly JsonObject[] {
  const single = objectAt(part, key);
  return single === undefined ? objectsAt(part, key) : [single];
}

function lineOf(message: JsonObject): string | undefined {
  const text = textAt(message, 'Message');
  if (text !== undefined) return text;
  const id = textAt(message, 'MessageId');
  if (id === undefined) return undefined;
  const values = textsAt(message, 'MessageArgs') ?? [];
  return values.length > 0 ? `${id} (${values.join(', ')}).` : `${id}.`;
}
