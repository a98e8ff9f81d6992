import type { XStatic } from 'typebox/schema';

export type JsonType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

/**
 * The part of JSON Schema that requests are described in. Written as plain constants: their static types come from TypeBox, whose
 * run-time part would cost more at start-up than the rest of the API.
 */
export interface JsonSchema {
  readonly type?: JsonType | readonly JsonType[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** False: a key that `properties` does not name is refused. Default: any key is accepted. */
  readonly additionalProperties?: false | JsonSchema;
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Matched as a regular expression with the `u` flag. */
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

/** Static type of a value that a schema constant describes. */
export type Static<Schema> = XStatic<Schema>;
