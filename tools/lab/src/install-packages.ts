// Installs the Debian packages that the lab needs: asks on a terminal, not with --yes or in CI. Arguments: purposes (lab, live, test).
import { parseArgs } from 'node:util';
import { createInterface } from 'node:readline/promises';
import { execa } from 'execa';
import { missingPackages, packagePurposes, type DebianPackage } from './packages.ts';
import { withoutServices } from './quiet-services.ts';

const { values, positionals } = parseArgs({
  options: { yes: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const purposes = packagePurposes.filter((name) => positionals.includes(name));
const missing = await missingPackages(purposes);
if (missing.length > 0) await install(missing);

async function install(packages: readonly DebianPackage[]): Promise<void> {
  const names = packages.map(({ name }) => name);
  console.log('These Debian packages are missing:');
  for (const { name, reason } of packages) console.log(`  ${name}: ${reason}`);
  const command = `apt-get install --no-install-recommends ${names.join(' ')}`;
  if (process.getuid?.() !== 0) fail(`Only root can install them. Run: sudo ${command}`);
  if (!(await isWanted())) fail(`Nothing was installed. To do it yourself: ${command}`);
  const options = { stdio: 'inherit', env: { DEBIAN_FRONTEND: 'noninteractive' }, reject: false } as const;
  await execa('apt-get', ['update', '--quiet=2'], options);
  const { exitCode } = await withoutServices(async () =>
    execa('apt-get', ['install', '--yes', '--quiet=2', '--no-install-recommends', ...names], options),
  );
  const left = await missingPackages(purposes);
  if (exitCode !== 0 || left.length > 0)
    fail(`apt-get could not install: ${left.map(({ name }) => name).join(', ') || 'everything'}.`);
}

async function isWanted(): Promise<boolean> {
  if (values.yes || process.env['CI'] !== undefined || !process.stdin.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question('Install them now? [Y/n] ');
  terminal.close();
  return !/^n/i.test(answer.trim());
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
