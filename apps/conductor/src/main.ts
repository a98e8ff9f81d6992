#!/usr/bin/env node
import { keepYoungGenerationSmall } from './young-generation.ts';

if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `ironbark needs Node 24 or newer; this is ${process.version}. Install a newer one, for example from nodejs.org.`,
  );
  process.exit(2);
}
keepYoungGenerationSmall();
// Imported afterwards: it is the loading of modules that would fill the young generation. Without a top-level await, because modules of
// the built program import this one.
void import('./cli/run.ts')
  .then(({ runCommand }) => runCommand(process.argv.slice(2)))
  // Exits at once: a plugin that has left a timer or a socket behind does not keep the process.
  .then((code) => process.exit(code));
