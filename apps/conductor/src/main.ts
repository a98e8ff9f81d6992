#!/usr/bin/env node
import { setStartUpFlags } from './v8-flags.ts';

setStartUpFlags();
const { runCommand } = await import('./cli/run.ts');

// Exits at once: a plugin that has left a timer or a socket behind does not keep the process.
process.exit(await runCommand(process.argv.slice(2)));
