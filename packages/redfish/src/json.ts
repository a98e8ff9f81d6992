/** A JSON object as a BMC sent it: nothing about its members is certain. */
export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = object?.[key];
  return isJsonObject(value) ? value : undefined;
}

export function textAt(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function booleanAt(object: JsonObject | undefined, key: string): boolean | undefined {
  const value = object?.[key];
  return typeof value === 'boolean' ? value : undefined;
}

/** The texts of a list; undefined when there is no list. */
export function textsAt(object: JsonObject | undefined, key: string): readonly string[] | undefined {
  const value = object?.[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

export function objectsAt(object: JsonObject | undefined, key: string): readonly JsonObject[] {
  const value = object?.[key];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** Where a reference (`{"@odata.id": path}`) leads. */
export function linkAt(object: JsonObject | undefined, key: string): string | undefined {
  return textAt(objectAt(object, key), '@odata.id');
}

export function linksAt(object: JsonObject | undefined, key: string): readonly string[] {
  return objectsAt(object, key).flatMap((item) => textAt(item, '@odata.id') ?? []);
}
