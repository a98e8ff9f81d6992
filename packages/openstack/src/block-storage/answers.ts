import { wrapSecrets, type Info } from '@ironbark/core';
import { z } from 'zod';
import type { Attachment, ConnectionInfo, Volume } from './block-storage.ts';

/** Empty texts stand for nothing in some answers. */
const textOrNull = z
  .string()
  .nullish()
  .transform((text) => text || null);

const flag = z.union([z.boolean(), z.stringbool()]).nullish();

const volume = z
  .object({
    id: z.string().min(1),
    name: textOrNull,
    status: z.string(),
    size: z.number().nullish(),
    bootable: flag,
    multiattach: flag,
    'os-vol-tenant-attr:tenant_id': textOrNull,
    metadata: z.record(z.string(), z.string()).nullish(),
    attachments: z.array(z.object({ attachment_id: z.string(), server_id: textOrNull, host_name: textOrNull })),
  })
  .transform((record): Volume => ({
    id: record.id,
    name: record.name,
    status: record.status,
    sizeGib: record.size ?? 0,
    bootable: record.bootable ?? false,
    multiattach: record.multiattach ?? false,
    projectId: record['os-vol-tenant-attr:tenant_id'],
    metadata: record.metadata ?? {},
    attachments: record.attachments.map((attachment) => ({
      attachmentId: attachment.attachment_id,
      serverId: attachment.server_id,
      hostName: attachment.host_name,
    })),
  }));

/**
 * `os-initialize_connection` has the properties under `data`, the attachments API has them beside `driver_volume_type`. An attachment
 * that was never given a connector has an empty object.
 */
const connection = z.record(z.string(), z.json()).transform((info, context): ConnectionInfo | null => {
  const { driver_volume_type: driverVolumeType, data, ...flat } = info;
  if (Object.keys(info).length === 0) return null;
  if (typeof driverVolumeType !== 'string') {
    context.addIssue({ code: 'custom', message: 'driver_volume_type is no text' });
    return z.NEVER;
  }
  const properties = typeof data === 'object' && data !== null && !Array.isArray(data) ? data : flat;
  return { driverVolumeType, data: wrapSecrets(properties) as Info };
});

const attachment = z
  .object({
    id: z.string().min(1),
    volume_id: z.string().min(1),
    instance: textOrNull,
    status: z.string(),
    connection_info: connection.nullish(),
  })
  .transform((record): Attachment => ({
    id: record.id,
    volumeId: record.volume_id,
    instanceUuid: record.instance,
    status: record.status,
    connection: record.connection_info ?? null,
  }));

export const volumeAnswer = z.object({ volume }).transform((body) => body.volume);
export const volumePage = z.object({
  volumes: z.array(volume),
  volumes_links: z.array(z.object({ rel: z.string() })).optional(),
});
export const attachmentAnswer = z.object({ attachment }).transform((body) => body.attachment);
export const attachmentsAnswer = z.object({ attachments: z.array(attachment) }).transform((body) => body.attachments);
export const connectionAnswer = z
  .object({ connection_info: connection.pipe(z.custom<ConnectionInfo>((value) => value !== null)) })
  .transform((body) => body.connection_info);
/** Of an attachment that was given a connector. */
export const connectedAnswer = z
  .object({ attachment: attachment.refine((record) => record.connection !== null) })
  .transform((body) => body.attachment);

/** What `GET /v3/` answers, and `GET /` with status 300. */
export const versionsAnswer = z.object({
  versions: z.array(z.object({ version: z.string().optional() })),
});
