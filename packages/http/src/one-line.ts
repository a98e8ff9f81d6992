import { MASK, type Secret } from '@ironbark/core';

const maxLength = 600;
/** More is not looked at: searching megabytes for addresses would stop the process. */
const maxSearched = 4 * maxLength;

/**
 * What a service says, made fit for a message of ours: one line of bounded length, without control characters.
 * @param secrets values that must not be repeated: a service may quote what it refuses.
 */
export function oneLine(text: string, secrets: readonly Secret[]): string {
  const values = secrets.map((secret) => secret.reveal()).filter((value) => value !== '');
  const masked = values.reduce((result, value) => result.replaceAll(value, MASK), text);
  const start = masked
    .replaceAll(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, maxSearched);
  const line = withoutUrlSecrets(start);
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}

/** Credentials and query of an address go: images have signed ones. */
function withoutUrlSecrets(text: string): string {
  return text.replaceAll(/(:\/\/)[^\s/"'@]*@/g, '$1').replaceAll(/(:\/\/[^\s"'?]*)\?[^\s"']*/g, '$1?…');
}
