import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { temporaryDirectory } from './temporary-directory.ts';

/** GRUB computes this variable from its network card, so tests have one of their own in its place. */
const cardVariable = 'net_default_mac';
export const card = '52:54:00:12:34:56';

export interface GrubRun {
  /** Arguments of the commands in the order of the calls. */
  readonly calls: readonly (readonly string[])[];
  /** What GRUB shows beside them. */
  readonly screen: string;
}

/** What commands do when they were recorded, as text of a script. Default: `linux` and `initrd` do nothing, without a failure. */
export type GrubCommands = Readonly<Record<string, string>>;

/**
 * Runs a configuration in GRUB itself, as a program of this host. Commands for kernels do not exist there: functions stand for them
 * and for other commands that are named, which record their arguments.
 * @param files further files in the directory that stands for the TFTP server's.
 */
export async function runGrub(
  config: string,
  commands: GrubCommands = {},
  files: Readonly<Record<string, string>> = {},
): Promise<GrubRun> {
  const directory = await temporaryDirectory();
  const adapted = (text: string) => text.replaceAll(cardVariable, 'card').replaceAll('(tftp)', `(host)${directory}`);
  const functions = Object.entries({ linux: 'true', initrd: 'true', ...commands }).map(([name, effect]) => {
    return `function ${name} { echo "call>${name}"; for word in "$@"; do echo "word>\${word}<"; done; ${effect}; }`;
  });
  const lines = [...functions, `set card=${card}`, 'export card', adapted(config), 'echo "end>"'];
  await writeFile(join(directory, 'grub.cfg'), lines.join('\n'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), adapted(text));
  // GRUB wants a terminal, and breaks lines at its width.
  const { stdout } = await execa('script', ['-qec', 'stty cols 3000; exec grub-emu -d .', '/dev/null'], {
    cwd: directory,
    env: { TERM: 'vt100' },
    stdin: 'ignore',
    timeout: 20_000,
  });
  // oxlint-disable-next-line no-control-regex -- escape sequences of the terminal
  const shown = stdout.replaceAll(/\x1b\[[\d;]*[A-Za-z]/g, '').split(/[\r\n]+/);
  const calls: string[][] = [];
  const screen = shown.filter((line) => {
    const [, kind, text = ''] = /^(call|word)>(.*?)<?$/.exec(line) ?? [];
    if (kind === 'call') calls.push([text]);
    if (kind === 'word') calls.at(-1)?.push(text.replaceAll(`(host)${directory}`, '(tftp)'));
    return kind === undefined;
  });
  return { calls, screen: screen.join('\n') };
}

/** Lets GRUB's own parser look at a configuration. @throws what it complains about. */
export async function checkGrubScript(config: string): Promise<void> {
  await execa('grub-script-check', { input: config, timeout: 20_000 });
}
