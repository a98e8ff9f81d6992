import { startConductor } from '../conductor.ts';
import { loadConfig } from '../config/load.ts';
import { createLog } from '../log.ts';
import { letYoungGenerationGrow } from '../young-generation.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { print } from './print.ts';

/** Runs until the first SIGTERM or SIGINT has been obeyed; the second one ends the process at once. */
export async function serve({ site }: { readonly site: string }): Promise<ExitCode> {
  const config = loadConfig(site);
  // Relative paths in the settings of plugins start at the site.
  process.chdir(config.siteDirectory);
  const log = createLog(config.log);
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    const obey = (signal: NodeJS.Signals) => {
      resolve(signal);
      for (const each of ['SIGTERM', 'SIGINT'] as const) {
        process.removeListener(each, obey);
        process.once(each, () => process.exit(exitCodes.failure));
      }
    };
    process.once('SIGTERM', obey).once('SIGINT', obey);
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'The conductor ends because of a mistake in it or in a plugin.');
    process.exit(exitCodes.failure);
  });
  const conductor = await startConductor(config, log);
  letYoungGenerationGrow();
  print(`ironbark: ${config.hostname} is ready at ${conductor.url}`);
  const signal = await stopped;
  log.info({ signal }, 'The conductor stops.');
  await conductor.stop();
  log.info({}, 'The conductor has stopped.');
  return exitCodes.success;
}
