import type { StandardSchemaV1 } from '@standard-schema/spec';
import { IronbarkError } from '../errors.ts';

/** The `settings` of the configuration: sections of plugins and of shared services. Remembers which ones were read. */
export class Settings {
  readonly #sections: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  constructor(sections: Readonly<Record<string, unknown>> = {}) {
    this.#sections = sections;
  }

  /**
   * Validates a section; a missing one counts as empty.
   * @param reader names who reads it in error messages.
   * @throws CONFIG_INVALID naming every wrong key as `settings.<section>.<key>`; values are not quoted.
   */
  async section<Config>(
    name: string,
    schema: StandardSchemaV1<unknown, Config> | undefined,
    reader: string,
  ): Promise<Config> {
    this.#read.add(name);
    if (schema === undefined) return undefined as Config;
    const result = await schema['~standard'].validate(this.#sections[name] ?? {});
    if (result.issues === undefined) return result.value;
    const problems = result.issues.flatMap((issue) => describe(`settings.${name}`, issue));
    throw new IronbarkError('CONFIG_INVALID', `The settings of ${reader} are wrong: ${problems.join('; ')}.`, {
      hint: `The README of ${reader} lists its settings.`,
    });
  }

  /** Sections that nobody has read yet. */
  unread(): readonly string[] {
    return Object.keys(this.#sections).filter((name) => !this.#read.has(name));
  }
}

function describe(section: string, issue: StandardSchemaV1.Issue): readonly string[] {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  const where = [section, ...path].join('.');
  // zod reports unknown keys of one object as one issue at the object.
  const keys = 'keys' in issue && Array.isArray(issue.keys) ? issue.keys.map(String) : [];
  if (keys.length > 0) return keys.map((key) => `${where}.${key} is not known`);
  return [`${where}: ${issue.message}`];
}
