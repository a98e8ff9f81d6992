import { readFile } from 'node:fs/promises';

const guide = new URL('../../../docs/writing-a-driver.md', import.meta.url);
const interfaces = new URL('../../core/src/driver/interfaces.ts', import.meta.url);

/** The driver author's guide. */
export async function readGuide(): Promise<string> {
  return await readFile(guide, 'utf8');
}

/** Code blocks of a page that have a title, by title. */
export function titledBlocks(page: string): ReadonlyMap<string, string> {
  const blocks = page.matchAll(/^```\w+ title="([^"]+)"\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, title = '', text = '']) => [title, text]));
}

/** Name of a member to whether it is required. */
export type Members = ReadonlyMap<string, boolean>;

/** The rows of the first table below a heading. */
export function documentedMembers(page: string, heading: string): Members {
  const section = page.split(new RegExp(`^#{2,3} ${heading}$`, 'm'))[1]?.split(/^#{2,3} /m)[0] ?? '';
  const rows = section.matchAll(/^\| `(\w+)(?:\([^)]*\))?`\s*\|([^|]*)\|/gm);
  return new Map([...rows].map(([, name = '', mark = '']) => [name, mark.includes('**Required.**')]));
}

/** The members that an interface of core declares itself. */
export async function declaredMembers(interfaceName: string): Promise<Members> {
  const source = await readFile(interfaces, 'utf8');
  const body = new RegExp(`^export interface ${interfaceName} .*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source)?.[1] ?? '';
  const members = body.matchAll(/^ {2}(?:readonly )?(\w+)(\??)[(:]/gm);
  return new Map([...members].map(([, name = '', mark = '']) => [name, mark === '']));
}
