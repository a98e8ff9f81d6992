import type { FastifyRequest } from 'fastify';

export interface Link {
  readonly href: string;
  readonly rel: string;
}

/** A resource's address with the version and without: both have been part of the API from its beginning. */
export function links(base: string, path: string): readonly Link[] {
  return [
    { href: `${base}/v1/${path}`, rel: 'self' },
    { href: `${base}/${path}`, rel: 'bookmark' },
  ];
}

const plainHost = /^[\w.-]+(?::\d{1,5})?$|^\[[\da-fA-F:.]+\](?::\d{1,5})?$/;

/** Where clients reach the API: the configured address, else what the request says it was sent to. */
export function baseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const host = request.headers.host;
  return `${request.protocol}://${host !== undefined && plainHost.test(host) ? host : 'localhost'}`;
}
