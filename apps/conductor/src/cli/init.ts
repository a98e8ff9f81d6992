import { mkdirSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IronbarkError } from '@ironbark/core';
import { configFileName } from '../config/load.ts';
import { siteFiles } from '../site-files.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { print } from './print.ts';

/** Makes a site. Existing files are never touched: with one of them there, nothing is written at all. */
export function init(directory: string): ExitCode {
  const site = resolve(directory);
  const files = siteFiles();
  const taken = Object.keys(files).filter((name) => existsSync(join(site, name)));
  if (taken.length > 0) {
    throw new IronbarkError('INVALID_PARAMETER', `${site} already holds ${taken.join(', ')}; nothing was written.`, {
      hint: 'Name another directory, or move the files away.',
    });
  }
  mkdirSync(site, { recursive: true });
  // The configuration may come to hold credentials in `settings`.
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(site, name), content, { flag: 'wx', mode: name === configFileName ? 0o640 : 0o644 });
  }
  print(
    `Made a site in ${site}. Next:\n  cd ${directory}\n  npm install\n  edit ${configFileName}: settings.netboot says where machines fetch boot files\n  npx ironbark plugins\n  npx ironbark serve`,
  );
  return exitCodes.success;
}
