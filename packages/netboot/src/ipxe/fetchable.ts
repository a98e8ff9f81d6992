import { inexpressible, ipxeWord } from './ipxe-value.ts';

/** Protocols that common builds of iPXE can fetch from. */
const protocols = ['http:', 'https:', 'ftp:', 'tftp:', 'nfs:'];

/** Lets a URL through that iPXE can fetch and takes literally. @throws INVALID_PARAMETER naming the field. */
export function fetchable(url: string, field: string): string {
  const word = ipxeWord(url, field);
  if (URL.canParse(word) && protocols.includes(new URL(word).protocol)) return word;
  throw inexpressible(field, `is no URL of ${protocols.map((protocol) => protocol.slice(0, -1)).join(', ')}`);
}
