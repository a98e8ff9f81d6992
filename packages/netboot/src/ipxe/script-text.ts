import { SecretText } from '@ironbark/core';

/** One line of a script without its line break. */
export type Line = string | SecretText;

/** Joins sections with an empty line between them and ends the last line. */
export function scriptText(sections: readonly (readonly Line[])[]): SecretText {
  const texts = sections.map((lines) => SecretText.join(lines, '\n'));
  return SecretText.join([SecretText.join(texts, '\n\n'), '\n'], '');
}
