/** @returns those of the texts that occur, each after the one before. */
export function inOrder(log: string, texts: readonly string[]): readonly string[] {
  let position = 0;
  return texts.filter((text) => {
    const found = log.indexOf(text, position);
    if (found >= 0) position = found + text.length;
    return found >= 0;
  });
}
