import { bootDevices } from '@ironbark/core';
import { z } from 'zod';

/** What a fake machine is and has set, as its BMC would tell. */
export const fakeMachine = z.object({
  powerState: z.enum(['power on', 'power off']),
  /** How often it was started. */
  boots: z.int().min(0),
  bootDevice: z.enum(bootDevices).nullable(),
  persistent: z.boolean().nullable(),
  bootMode: z.enum(['bios', 'uefi']),
  httpBootUrl: z.string().nullable(),
  secureBoot: z.boolean().default(false),
});

export type FakeMachine = Readonly<z.infer<typeof fakeMachine>>;

/** Where the states of fake machines are kept, by the uuid of the node. */
export interface MachineStates {
  /** Undefined for a machine that nothing is known about. */
  read(nodeUuid: string): Promise<FakeMachine | undefined>;
  /** Returns when the state is kept. */
  write(nodeUuid: string, machine: FakeMachine): Promise<void>;
}
