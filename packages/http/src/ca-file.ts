import { readFile } from 'node:fs/promises';

/** A CA file that cannot be used. */
export interface CaFileFault {
  readonly path: string;
  /** Continues a sentence: `cannot be read`, `holds no certificate`. */
  readonly problem: string;
  readonly cause: unknown;
}

/** The text of a PEM file with at least one certificate; Node would take an empty list of CAs for its own. */
export async function readCaFile(path: string): Promise<string | CaFileFault> {
  try {
    const text = await readFile(path, 'utf8');
    return text.includes('CERTIFICATE-----') ? text : { path, problem: 'holds no certificate', cause: undefined };
  } catch (cause) {
    return { path, problem: 'cannot be read', cause };
  }
}
