import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** Longest delay of a step; more would outlive every time limit of an operation. */
export const maxDelayMs = 3_600_000;

/** Section `fake` of the settings. */
export const fakeSettings = z.strictObject({
  delay_ms: z
    .int()
    .min(0)
    .max(maxDelayMs)
    .default(0)
    .describe('How long every step takes that changes something, in milliseconds.'),
  failure_rate: z.number().min(0).max(1).default(0).describe('Share of these steps that fail, from 0 to 1.'),
  seed: z.int().default(0).describe('Decides which steps fail, together with the node, the step and the attempt.'),
  state_directory: z
    .string()
    .refine(isAbsolute, 'must be an absolute path')
    .optional()
    .describe(
      'Directory of the state of the machines, so that it survives a restart of the conductor. Default: memory.',
    ),
});

export type FakeSettings = z.infer<typeof fakeSettings>;
