import type { Node } from '@ironbark/core';
import type { Image, ImageMember } from '@ironbark/openstack';

/**
 * Whether a node may boot an image of Glance. The conductor reads as a service user, which sees everything: it must not hand the image
 * of one project to a node of another. A leased node is its lessee's, who is not to see what its owner keeps private; a node without owner and
 * lessee is the operator's.
 * @param listMembers asked only where a `shared` image depends on it.
 */
export async function isUsableBy(
  { owner, lessee }: Pick<Node, 'owner' | 'lessee'>,
  image: Pick<Image, 'visibility' | 'owner'>,
  listMembers: () => Promise<readonly ImageMember[]>,
): Promise<boolean> {
  const project = lessee ?? owner;
  if (project === null || image.visibility === 'public' || image.visibility === 'community') return true;
  if (image.owner === project) return true;
  if (image.visibility !== 'shared') return false;
  const members = await listMembers();
  return members.some(({ projectId, status }) => status === 'accepted' && projectId === project);
}
