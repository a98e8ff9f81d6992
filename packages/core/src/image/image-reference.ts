import { isAbsolute, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { invalidParameter } from '../errors.ts';

/** Where the bytes of an image come from, parsed once at the edge. */
export type ImageReference = GlanceReference | UrlReference | FileReference;

export interface GlanceReference {
  readonly kind: 'glance';
  /** Lower-case uuid. */
  readonly id: string;
}

export interface UrlReference {
  readonly kind: 'url';
  /** `http` or `https`, without credentials and fragment. */
  readonly url: string;
}

/** A file of the conductor's host; the image service decides which directories may be read. */
export interface FileReference {
  readonly kind: 'file';
  /** Absolute and normalised. */
  readonly path: string;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const forms = 'Give the uuid of an image in Glance, "glance://<uuid>", an http or https URL, or "file:///<path>".';

/**
 * Reads an image reference as the Bare Metal API writes it: the uuid of a Glance image with or without `glance://`, an http(s) URL, or
 * a file URL.
 * @param where names the field in errors, for example `instance_info.kernel of node 6e…`.
 * @throws INVALID_PARAMETER naming the field; a URL with credentials is not quoted.
 */
export function parseImageReference(text: string, where: string): ImageReference {
  const id = text.replace(/^glance:(?:\/\/)?/i, '');
  if (uuid.test(id)) return { kind: 'glance', id: id.toLowerCase() };
  if (!URL.canParse(text) || /[\s\\]/.test(text)) {
    throw invalidParameter(`The ${where} is ${quoted(text)}, which names no image.`, { hint: forms });
  }
  const url = new URL(text);
  if (url.protocol === 'file:') return { kind: 'file', path: filePath(url, where) };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalidParameter(`The ${where} begins with "${url.protocol}", which is not supported.`, { hint: forms });
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidParameter(`The ${where} is a URL with credentials, which would show in logs and records.`, {
      hint: 'Serve the image without credentials on a network of its own, or upload it to Glance.',
    });
  }
  if (url.hash !== '') throw invalidParameter(`The ${where} is a URL with a fragment ("#…").`, { hint: forms });
  return { kind: 'url', url: url.href };
}

/** What cannot be read as a URL may be meant as one, with credentials. */
function quoted(text: string): string {
  return text.includes('@') ? 'a text with "@"' : JSON.stringify(text);
}

function filePath(url: URL, where: string): string {
  try {
    const path = fileURLToPath(url);
    if (isAbsolute(path) && normalize(path) === path && !path.includes('\0')) return path;
  } catch {
    // told below
  }
  throw invalidParameter(`The ${where} is a file URL without an absolute path on this host.`, {
    hint: 'Write "file:///srv/images/kernel".',
  });
}

/** The reference as text, in the form that {@link parseImageReference} reads. */
export function formatImageReference(reference: ImageReference): string {
  switch (reference.kind) {
    case 'glance':
      return `glance://${reference.id}`;
    case 'url':
      return reference.url;
    case 'file':
      break;
  }
  return pathToFileURL(reference.path).href;
}
