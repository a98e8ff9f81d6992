import type { BootArtifacts, PlannedCall } from '@ironbark/core';

/** What a deployment of a node would do now. Prints without secrets. */
export interface Plan {
  readonly nodeUuid: string;
  /** Why the deployment would be refused; empty when it would begin. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Names of the steps in their order. */
  readonly steps: readonly string[];
  readonly storage: readonly PlannedCall[];
  /** Kind of the boot source; null when it cannot be decided. */
  readonly bootSource: string | null;
  readonly artifacts: BootArtifacts | null;
}
