import type { JsonSchema } from './json-schema.ts';

export const uuidPattern = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';
export const uuid = { type: 'string', pattern: uuidPattern, description: 'a UUID' } as const;
export const nullableUuid = { type: ['string', 'null'], pattern: uuidPattern, description: 'a UUID' } as const;
export const text = { type: 'string', maxLength: 255 } as const;
export const nullableText = { type: ['string', 'null'], maxLength: 255 } as const;
export const longText = { type: ['string', 'null'], maxLength: 4096 } as const;
export const freeObject = { type: ['object', 'null'], description: 'any object' } as const;
/** A boolean, or the text of one: the command line client sends `"True"` in patches. */
export const looseBoolean = { type: ['boolean', 'string', 'null'], maxLength: 5 } as const;
/** What databases store as a 32 bit integer. */
export const integer32 = { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 } as const;

export const noQuery = { type: 'object', properties: {}, additionalProperties: false } as const satisfies JsonSchema;

/** Query parameters that every list has. */
export const pageQuery = {
  limit: { type: 'integer' },
  marker: { type: 'string', maxLength: 255 },
  sort_key: { type: 'string', maxLength: 64 },
  sort_dir: { type: 'string', enum: ['asc', 'desc'] },
} as const;

export const fieldsQuery = { type: 'array', items: { type: 'string', maxLength: 64 }, maxItems: 100 } as const;
