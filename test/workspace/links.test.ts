import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { workspaceRoot } from './workspace-packages.ts';

const ignoredDirectories = new Set(['node_modules', 'dist', 'coverage', '.git', '.nx', '.toolchain', '.types']);

const pages = globSync('**/*.md', { cwd: workspaceRoot, exclude: (path) => ignoredDirectories.has(basename(path)) });

/** Text of a page without code, in which brackets mean nothing. */
function prose(path: string): string {
  return readFileSync(path, 'utf8')
    .replaceAll(/^( *)(```+|~~~+)[\s\S]*?^\1\2 *$/gm, '')
    .replaceAll(/(`+)(?!`).*?\1/g, 'code');
}

/** Destinations of links, images and link definitions. */
function destinations(path: string): readonly string[] {
  const links = prose(path).matchAll(/\]\(<?([^)\s>]+)>?(?: +"[^"]*")?\)|^\[[^\]]+\]: +<?([^\s>]+)/gm);
  return [...links].map(([, inline, definition]) => inline ?? definition ?? '');
}

/** Fragments that lead to the headings of a page, as GitHub makes them: a repeated heading gets a number. */
function fragments(path: string): ReadonlySet<string> {
  const text = readFileSync(path, 'utf8').replaceAll(/^( *)(```+|~~~+)[\s\S]*?^\1\2 *$/gm, '');
  const seen = new Map<string, number>();
  const headings = [...text.matchAll(/^#{1,6} +(.*?) *#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/\]\([^)]*\)/g, '')
      .replaceAll(/[^\p{Letter}\p{Number}\p{Mark}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  return new Set(headings);
}

/** Why a link of a page leads nowhere; undefined when it leads somewhere, or out of the repository by a URL. */
function problemOf(page: string, destination: string): string | undefined {
  if (/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(destination)) return undefined;
  const [path = '', fragment] = destination.split('#', 2).map(decodeURIComponent);
  const target = path === '' ? page : resolve(dirname(page), path);
  if (relative(workspaceRoot, target).startsWith('..')) return `${destination} leads out of the repository`;
  if (!existsSync(target)) return `${destination}: there is no such file`;
  if (fragment === undefined || extname(target) !== '.md' || fragments(target).has(fragment)) return undefined;
  return `${destination}: the page has no such heading`;
}

describe('the pages of the repository', () => {
  it('are found: the README of the root, guides and READMEs of packages', () => {
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', 'docs/operating.md', 'packages/core/README.md', 'tools/lab/README.md']),
    );
  });

  it.each(pages)('%s links to files and headings that exist', (path) => {
    const page = resolve(workspaceRoot, path);
    expect(destinations(page).flatMap((destination) => problemOf(page, destination) ?? [])).toEqual([]);
  });
});
