import { checkCapability } from '../driver/capability-tags.ts';
import type { Task } from '../driver/task.ts';
import { isCapabilitySet, parseCapabilities } from '../model/capabilities.ts';
import { requestedBootOption } from './boot-option.ts';

/**
 * Whether the node's `image_source` describes its boot volume, rather than asking for an image to be written: the boot interface serves
 * the image's kernel because it cannot read the volume, and nobody prefers the local disk.
 * @throws INVALID_PARAMETER for capabilities or boot options that cannot be read.
 */
export function isImageOfVolume({
  node,
  driver,
  volumeTargets,
}: Pick<Task, 'node' | 'driver' | 'volumeTargets'>): boolean {
  const target = volumeTargets.find(({ bootIndex }) => bootIndex === 0);
  if (target?.volumeType !== 'iscsi' || !checkCapability(driver.boot, 'kernel_from_image')) return false;
  if (isCapabilitySet(parseCapabilities(node.properties), 'hba_boot')) return false;
  return requestedBootOption(node)?.option !== 'local';
}
