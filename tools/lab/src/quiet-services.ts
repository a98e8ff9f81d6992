import { access, unlink, writeFile } from 'node:fs/promises';
import { execa } from 'execa';

/** Asked by every installation script of Debian before it starts a service (package init-system-helpers). */
const policyFile = '/usr/sbin/policy-rc.d';
const unit = /^\/(?:usr\/)?lib\/systemd\/system\/([^/]+\.(?:service|socket|path|timer))$/;
const initScript = /^\/etc\/init\.d\/([^/]+)$/;

/** Names of the services that the files of a package define, for systemctl. */
export function servicesOf(files: readonly string[]): readonly string[] {
  const names = files.flatMap((file) => {
    const script = initScript.exec(file)?.[1];
    return script === undefined ? (unit.exec(file)?.[1] ?? []) : `${script}.service`;
  });
  return [...new Set(names)].filter((name) => !name.includes('@'));
}

/**
 * Runs an installation that starts no service, neither now nor when the machine starts the next time: the lab starts the programs by
 * itself. Services of packages that were installed before stay as they are.
 */
export async function withoutServices<Result>(install: () => Promise<Result>): Promise<Result> {
  const before = new Set(await installedPackages());
  const isOurs = await writePolicy();
  // Whoever presses Ctrl-C ends the installation, and not this program before it has taken the policy away.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  try {
    return await install();
  } finally {
    if (isOurs) await unlink(policyFile);
    await disableServices((await installedPackages()).filter((name) => !before.has(name)));
    process.off('SIGINT', ignore);
  }
}

/** @returns false when the machine has a policy of its own, which stays. */
async function writePolicy(): Promise<boolean> {
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function disableServices(packages: readonly string[]): Promise<void> {
  const hasSystemd = await access('/usr/bin/systemctl').then(
    () => true,
    () => false,
  );
  if (!hasSystemd || packages.length === 0) return;
  const { stdout } = await execa('dpkg-query', ['--listfiles', ...packages], { reject: false, timeout: 60_000 });
  const services = servicesOf(stdout.split('\n'));
  if (services.length === 0) return;
  console.log(`Not started, now and at boot: ${services.join(', ')}`);
  // One that cannot be enabled is told of on standard error, which is no news.
  await execa('systemctl', ['--quiet', 'disable', ...services], { reject: false, timeout: 60_000 });
}

async function installedPackages(): Promise<readonly string[]> {
  const { stdout } = await execa('dpkg-query', ['--show', '--showformat', '${db:Status-Abbrev} ${Package}\n'], {
    timeout: 60_000,
  });
  return stdout.split('\n').flatMap((line) => /^ii +(\S+)/.exec(line)?.[1] ?? []);
}
