import type { Node } from '@ironbark/core';

/** In whose name volumes of a node are attached. */
export interface Owner {
  readonly nodeUuid: string;
  /** What new attachments are made for: the instance on the node, or the node itself where nobody named one. */
  readonly instanceUuid: string;
  /** Whose attachments belong to the node. An attachment without an instance belongs to none of them. */
  readonly instanceUuids: ReadonlySet<string>;
}

export function ownerOf({ uuid, instanceUuid }: Pick<Node, 'uuid' | 'instanceUuid'>): Owner {
  const instanceUuids = new Set(instanceUuid === null ? [uuid] : [instanceUuid, uuid]);
  return { nodeUuid: uuid, instanceUuid: instanceUuid ?? uuid, instanceUuids };
}
