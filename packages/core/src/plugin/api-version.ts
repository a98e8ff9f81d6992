/** Version of the plugin interface. A minor adds optional members or hooks, a major removes or changes. */
export const apiVersion = '1.0';

export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

/** Parses `major.minor`; undefined when the text is not of that form. */
export function parseApiVersion(text: unknown): ApiVersion | undefined {
  const [, major, minor] = (typeof text === 'string' && /^(\d{1,4})\.(\d{1,4})$/.exec(text)) || [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** Whether a plugin made for `wanted` runs on a host that offers `offered`: same major, minor not newer. */
export function isApiCompatible(wanted: ApiVersion, offered: ApiVersion): boolean {
  return wanted.major === offered.major && wanted.minor <= offered.minor;
}
