import { z } from 'zod';

export const path = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0'), 'holds a NUL character');

/** Without a slash at the end. */
export const httpUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));
