/** A line of a script as iPXE reads it. */
export interface ReadLine {
  readonly label: string | null;
  /** Commands of the line with the operator before each; words are not expanded. */
  readonly commands: readonly { readonly operator: string; readonly words: readonly string[] }[];
}

const operators = ['||', '&&', ';'];

/**
 * Reads a script the way iPXE's src/image/script.c and src/core/exec.c do: a backslash at the end joins lines, white space is what
 * C's isspace() says, `#` begins a comment word. It expands nothing.
 */
export function readScript(text: string): readonly ReadLine[] {
  const lines: string[] = [];
  let pending = '';
  for (const raw of text.split('\n')) {
    const line = pending + raw.replace(/\r$/, '');
    pending = line.endsWith('\\') ? line.slice(0, -1) : '';
    if (!line.endsWith('\\')) lines.push(line);
  }
  return lines.map(readLine);
}

function readLine(line: string): ReadLine {
  // oxlint-disable-next-line no-control-regex
  const cut = line.replace(/\u0000.*$/s, '');
  const all = cut.split(/[\t\n\v\f\r ]+/).filter((word) => word !== '');
  const [first = ''] = all;
  const label = first.startsWith(':') ? first.slice(1) : null;
  const commands: { operator: string; words: string[] }[] = [{ operator: '', words: [] }];
  for (const word of label === null ? all : all.slice(1)) {
    if (word.startsWith('#')) break;
    if (operators.includes(word)) commands.push({ operator: word, words: [] });
    else commands.at(-1)?.words.push(word);
  }
  return { label, commands };
}

/** What a script does, without the values it does it with: labels, commands, operators, and the settings that it expands. */
export function skeletonOf(text: string): readonly string[] {
  return readScript(text).map(({ label, commands }) => {
    const parts = commands.map(({ operator, words: [name = '', ...rest] }) => {
      const target = ['set', 'clear', 'goto'].includes(name) ? (rest[0] ?? '') : '';
      const expansions = rest.join(' ').match(/\$\{[^}]*\}?/g) ?? [];
      return [operator, name, target, ...expansions].join(' ');
    });
    return `${label ?? '-'}|${parts.join('|')}`;
  });
}

/** Values of the `set` commands of one setting, in order. */
export function valuesOf(text: string, setting: string): readonly string[] {
  return readScript(text)
    .flatMap(({ commands }) => commands)
    .filter(({ words }) => words[0] === 'set' && words[1] === setting)
    .map(({ words }) => words.slice(2).join(' '));
}
