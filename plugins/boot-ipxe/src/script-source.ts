import type { BootImage, BootSource, HbaBoot, ImageReference, Node } from '@ironbark/core';
import { appendParams, kernelParameters, nfsParameters, ramdiskArguments, type ScriptSource } from '@ironbark/netboot';

/** A source as a script boots it, and the images that have to be at the URLs of the script. */
export interface PublishedSource {
  readonly script: ScriptSource;
  readonly images: readonly BootImage[];
}

export interface Publication {
  readonly node: Node;
  /** URL of the HTTP root. */
  readonly httpUrl: string;
  /** Kernel parameters of the settings. */
  readonly appendParams: readonly string[];
}

type Served = Exclude<BootSource, HbaBoot>;

/**
 * Gives every image of a source a place in the node's directory, and every kernel its parameters. Pure.
 * @throws INVALID_PARAMETER naming the field of a parameter that no kernel could read.
 */
export function publishedSource(
  source: Served,
  { node, httpUrl, appendParams: defaults }: Publication,
): PublishedSource {
  const place = (name: string, image: ImageReference): BootImage => {
    return { root: 'http', path: `${node.uuid}/${name}`, image };
  };
  const urlOf = ({ path }: BootImage) => `${httpUrl}/${path}`;
  if (source.kind === 'iso') {
    const image = place('boot.iso', source.image);
    return { script: { kind: 'iso', url: urlOf(image) }, images: [image] };
  }
  if (source.kind !== 'nfs' && source.kind !== 'ramdisk') return { script: source, images: [] };
  const kernel = place('kernel', source.kernel);
  const ramdisk = place('ramdisk', source.ramdisk);
  const append = appendParams(node, defaults, kernelParameters);
  const parameters =
    source.kind === 'nfs'
      ? [...nfsParameters(source.connection), ...append]
      : ['root=/dev/ram0', 'text', ...append, ...ramdiskArguments(node, kernelParameters), ...source.parameters];
  const entry = { kind: source.kind, kernelUrl: urlOf(kernel), ramdiskUrl: urlOf(ramdisk), parameters };
  return { script: entry, images: [kernel, ramdisk] };
}
