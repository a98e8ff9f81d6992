#!/usr/bin/env node
import { keepYoungGenerationSmall } from './young-generation.ts';

keepYoungGenerationSmall();
// Imported afterwards: it is the loading of modules that would fill the young generation. Without a top-level await, because modules of
// the built program import this one.
void import('./cli/run.ts')
  .then(({ runCommand }) => runCommand(process.argv.slice(2)))
  // Exits at once: a plugin that has left a timer or a socket behind does not keep the process.
  .then((code) => process.exit(code));
