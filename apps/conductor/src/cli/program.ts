import { Command } from 'commander';
import { conductorVersion } from '../version.ts';
import type { ExitCode } from './exit-codes.ts';

type Action = (...values: never[]) => ExitCode | Promise<ExitCode>;

const exitHelp = `
Exit status:
  0  success
  1  failure
  2  the command line or the configuration is wrong
  3  reconcile: something was found and is left`;

/**
 * The commands with their help. An action is imported only when its command is called, so that each command starts quickly.
 * @param done gets the exit code of the command that ran.
 */
export function createProgram(done: (code: ExitCode) => void): Command {
  const program = new Command('ironbark')
    .description('Conductor that boots bare-metal machines from network volumes.')
    .version(`ironbark ${conductorVersion()}`)
    .option('--debug', 'also print the stack of an error')
    .addHelpText('after', exitHelp);

  const add = (parent: Command, name: string, description: string, examples: readonly string[]): Command => {
    return parent
      .command(name)
      .description(description)
      .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ironbark ${example}`).join('\n')}`);
  };
  const withSite = (command: Command) => {
    return command.option('--site <dir>', 'directory that holds ironbark.yaml', process.env['IRONBARK_SITE'] ?? '.');
  };
  const run = (command: Command, load: () => Promise<Action>): Command => {
    return command.action(async (...values: unknown[]) => done(await (await load())(...(values as never[]))));
  };

  run(
    add(program, 'init <dir>', 'Write a commented configuration and a package.json into a directory.', [
      'init /srv/ironbark',
    ]),
    async () => (await import('./init.ts')).init,
  );
  run(
    withSite(
      add(
        program,
        'serve',
        'Run the conductor in the foreground until SIGTERM or SIGINT; a second signal ends it at once.',
        ['serve --site /srv/ironbark', 'serve    (in the site directory)'],
      ),
    ),
    async () => (await import('./serve.ts')).serve,
  );
  run(
    withSite(
      add(
        program,
        'plan <node>',
        'Show what a deployment of a node would do: steps, storage calls, boot artifacts. Nothing is touched; exits with 1 when the ' +
          'deployment would be refused.',
        ['plan node-1 --site /srv/ironbark', 'plan 1be26c0b-03f2-4d2e-ae87-c02d7f33c123 --json'],
      ),
    ).option('--json', 'print JSON'),
    async () => (await import('./plan.ts')).plan,
  );
  run(
    withSite(
      add(
        program,
        'reconcile [node]',
        'Compare the records of volumes with what the storage services hold: of one node, or of all. Works beside a running ' +
          'conductor. Exits with 3 when something is left, with 1 when something could not be compared.',
        ['reconcile --site /srv/ironbark', 'reconcile node-1 --repair', 'reconcile --json'],
      ),
    )
      .option(
        '--repair',
        'release what is provably ours and should not be, and drop records of attachments that do not exist',
      )
      .option('--json', 'print JSON'),
    async () => (await import('./reconcile.ts')).reconcile,
  );
  run(
    withSite(
      add(
        program,
        'plugins',
        'List the plugins of a site with their drivers, and why some cannot be used. Exits with 1 when an enabled driver is not available.',
        ['plugins --site /srv/ironbark', 'plugins --check --json'],
      ),
    )
      .option('--json', 'print JSON')
      .option('--check', 'also import each plugin, without setting it up'),
    async () => (await import('./plugins.ts')).plugins,
  );

  const db = program.command('db').description('Look after the database.');
  run(
    withSite(
      add(db, 'migrate', 'Bring the schema up to date; `serve` does so too.', ['db migrate --site /srv/ironbark']),
    ),
    async () => (await import('./db.ts')).migrate,
  );
  run(
    withSite(
      add(db, 'status', 'Show the version of the schema; exits with 1 when migrations are pending.', [
        'db status --site /srv/ironbark --json',
      ]),
    ).option('--json', 'print JSON'),
    async () => (await import('./db.ts')).status,
  );

  const config = program.command('config').description('Look after the configuration.');
  run(
    add(config, 'schema', 'Print the JSON schema of ironbark.yaml, for editors.', [
      'config schema > ironbark.schema.json',
    ]),
    async () => (await import('./config-schema.ts')).configSchemaCommand,
  );
  run(
    add(program, 'version', 'Print the versions of Ironbark, its plugin API and Node.', ['version --json']).option(
      '--json',
      'print JSON',
    ),
    async () => (await import('./version.ts')).version,
  );
  return program;
}
