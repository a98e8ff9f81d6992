/** Interface kinds of the Bare Metal API that Ironbark has no drivers for, with the name of the one that does nothing. */
export const absentInterfaces = {
  bios: 'no-bios',
  console: 'no-console',
  inspect: 'no-inspect',
  raid: 'no-raid',
  rescue: 'no-rescue',
} as const;

/** Longest list that a client gets in one answer. */
export const pageSize = 1000;
