/** ISO 8601 in UTC with microseconds and a numeric offset, as the Bare Metal API prints times. Sorts as text. */
export type Timestamp = string;

export function timestamp(date: Date = new Date()): Timestamp {
  return `${date.toISOString().slice(0, -1)}000+00:00`;
}
