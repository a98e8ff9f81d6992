/** A microversion of Block Storage v3, such as `3.44`: the number behind the point. */
export type Minor = number;

/** The newest whose answers this package was tried with. */
export const knownMinor: Minor = 70;
/** Attachments can be completed. */
export const attachmentsMinor: Minor = 44;
/** The path needs no project. */
export const noProjectMinor: Minor = 67;

/** @returns undefined for something else than a version of 3. */
export function parseMinor(version: string): Minor | undefined {
  const minor = /^3\.(\d+)$/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
