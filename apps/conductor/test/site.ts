import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';

/** Makes a directory with files (objects become YAML); it is removed when the test ends. */
export function createSite(files: Readonly<Record<string, string | object>> = {}): string {
  const site = realpathSync(mkdtempSync(join(tmpdir(), 'ironbark-site-')));
  onTestFinished(() => rmSync(site, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    const file = join(site, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  }
  return site;
}
