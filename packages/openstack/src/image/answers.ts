import { z } from 'zod';
import type { Image, ImageChecksum, ImageMember } from './image-catalogue.ts';

const text = z.string().nullish();

const known = {
  id: z.string().min(1),
  name: text,
  status: z.string(),
  visibility: z.string(),
  owner: text,
  size: z.int().min(0).nullish(),
  checksum: text,
  os_hash_algo: text,
  os_hash_value: text,
  disk_format: text,
  container_format: text,
  updated_at: z.string(),
};

/** Texts of every image beside those that are read here; whatever else is a text was added by users. */
const unread = ['created_at', 'direct_url', 'self', 'file', 'schema', 'stores'];

const multihashes = ['sha512', 'sha256'] as const;

export const imageAnswer = z.looseObject(known).transform((body): Image => ({
  id: body.id,
  name: body.name ?? null,
  status: body.status,
  visibility: body.visibility,
  owner: body.owner ?? null,
  sizeBytes: body.size ?? null,
  checksum: checksumOf(body),
  diskFormat: body.disk_format ?? null,
  containerFormat: body.container_format ?? null,
  updatedAt: body.updated_at,
  properties: Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => {
      const [key, value] = entry;
      return typeof value === 'string' && !Object.hasOwn(known, key) && !unread.includes(key);
    }),
  ),
}));

export const membersAnswer = z
  .object({ members: z.array(z.object({ member_id: z.string(), status: z.string() })) })
  .transform((body): readonly ImageMember[] =>
    body.members.map(({ member_id: projectId, status }) => ({ projectId, status })),
  );

/** The multihash, or MD5 where there is none or one of another kind. */
function checksumOf(body: {
  readonly os_hash_algo?: string | null | undefined;
  readonly os_hash_value?: string | null | undefined;
  readonly checksum?: string | null | undefined;
}): ImageChecksum | null {
  const { os_hash_algo: name, os_hash_value: value, checksum } = body;
  const algorithm = multihashes.find((each) => each === name);
  if (algorithm !== undefined && value) return { algorithm, value: value.toLowerCase() };
  return checksum ? { algorithm: 'md5', value: checksum.toLowerCase() } : null;
}
