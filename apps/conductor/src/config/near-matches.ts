/** Known names that somebody may have meant, the nearest first; at most three. */
export function nearMatches(name: string, known: readonly string[]): readonly string[] {
  const allowed = name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3));
  return known
    .map((candidate) => ({ candidate, distance: distance(normal(name), normal(candidate)) }))
    .filter(({ candidate, distance: edits }) => edits <= allowed || isPart(normal(name), normal(candidate)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

function normal(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

function isPart(name: string, candidate: string): boolean {
  return name.length > 2 && (candidate.includes(name) || name.includes(candidate));
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
