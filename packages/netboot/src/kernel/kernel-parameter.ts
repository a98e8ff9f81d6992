import { invalidParameter, type IronbarkError, type SecretText } from '@ironbark/core';

/** One parameter of the kernel's command line: `name` or `name=value`, without quotes. */
export type KernelParameter = string | SecretText;

/** COMMAND_LINE_SIZE of Linux on x86 and arm64, less the final NUL. */
export const maxCommandLineBytes = 2047;

const rules: readonly (readonly [problem: string, breaks: (text: string) => boolean])[] = [
  ['is empty', (text) => text === ''],
  // The kernel takes the byte 0xA0 for a blank, and it is part of many characters in UTF-8.
  ['holds a character that is not printable ASCII', (text) => /[^ -~]/.test(text)],
  // Linux knows no escape for it.
  ['holds a double quote', (text) => text.includes('"')],
  // systemd takes it for the beginning of a quotation, which swallows the parameters that follow.
  ['holds a single quote', (text) => text.includes("'")],
  ['begins or ends with a blank, or has two in a row', (text) => /^ | $| {2}/.test(text)],
  ['holds a blank outside of a value', (text) => / /.test(text.replace(/=.*/, ''))],
  ['begins with "="', (text) => text.startsWith('=')],
  ['is "--", after which the kernel reads no more parameters', (text) => text === '--'],
];

/**
 * Lets parameters through that the kernel, systemd and the init programs of ramdisks read back as they are. Values may hold single
 * blanks; writing the quotes around them is up to the format that carries the line.
 * @param reservedBytes what the boot loader adds to the line.
 * @param where names in errors where the parameters come from, for example `instance_info.kernel_append_params of node 6e…`.
 * @throws INVALID_PARAMETER naming the parameter, never quoting its value.
 */
export function checkKernelParameters<Parameter extends KernelParameter>(
  parameters: readonly Parameter[],
  reservedBytes = 0,
  where?: string,
): readonly Parameter[] {
  let bytes = reservedBytes;
  for (const parameter of parameters) {
    const text = revealed(parameter);
    const broken = rules.find(([, breaks]) => breaks(text));
    if (broken !== undefined) throw unwritable(parameterField(parameter, where), broken[0]);
    bytes += text.length + (text.includes(' ') ? 3 : 1);
  }
  if (bytes - 1 > maxCommandLineBytes) {
    throw invalidParameter(`The kernel command line${originOf(where)} is longer than ${maxCommandLineBytes} bytes.`, {
      hint: 'Give fewer or shorter kernel_append_params; for a volume also initramfs_type, which leaves parameters out.',
    });
  }
  return parameters;
}

/** The text of a parameter with its secrets. */
export function revealed(parameter: KernelParameter): string {
  return typeof parameter === 'string' ? parameter : parameter.reveal();
}

/** The part before the first `=`. */
export function nameOf(parameter: KernelParameter): string {
  return revealed(parameter).replace(/=.*/s, '');
}

/** Names a parameter in errors, without its value. @param where as for {@link checkKernelParameters}. */
export function parameterField(parameter: KernelParameter, where?: string): string {
  const [, name] = /^([\w.-]{1,64})=/.exec(revealed(parameter)) ?? [];
  return `${name === undefined ? 'kernel parameter' : `kernel parameter ${name}`}${originOf(where)}`;
}

function originOf(where: string | undefined): string {
  return where === undefined ? '' : ` of ${where}`;
}

/** @param problem continues "The <field> …"; must not quote a secret. */
export function unwritable(field: string, problem: string): IronbarkError {
  return invalidParameter(`The ${field} cannot be passed to the kernel: it ${problem}.`, {
    hint: 'The kernel command line has no escapes: choose a value without what is named here.',
  });
}
