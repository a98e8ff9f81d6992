import { isInfo, type BootLink, type InfoValue, type Journal } from '@ironbark/core';
import type { DhcpPort } from '../dhcp/dhcp-provider.ts';

/** A place in the tree that holds an image, complete. */
export interface PlacedImage {
  readonly root: 'http' | 'tftp';
  readonly path: string;
  /** The image as `formatImageReference` writes it. */
  readonly reference: string;
}

/** Notes of one kind in the journal of a node: a list that replaces the earlier one. */
export interface Notes<Item> {
  read(journal: Journal): Promise<readonly Item[]>;
  /** Writes when `items` differs from `known`, which was read before. */
  write(journal: Journal, items: readonly Item[], known: readonly Item[]): Promise<void>;
  forget(journal: Journal): Promise<void>;
}

function notesOf<Item extends object>(key: string, parse: (item: InfoValue) => Item | undefined): Notes<Item> {
  return {
    async read(journal) {
      const value = await journal.get(key);
      return Array.isArray(value) ? value.flatMap((item: InfoValue) => parse(item) ?? []) : [];
    },
    async write(journal, items, known) {
      if (isSameSet(items, known)) return;
      await journal.put(
        key,
        items.map((item) => ({ ...item }) as InfoValue),
      );
    },
    forget: (journal) => journal.delete(key),
  };
}

function rootOf(value: InfoValue | undefined): 'http' | 'tftp' | undefined {
  return value === 'http' || value === 'tftp' ? value : undefined;
}

/** Links that exist or are about to be made. */
export const linkNotes: Notes<BootLink> = notesOf('links', (item) => {
  if (!isInfo(item)) return undefined;
  const { path, target } = item;
  const root = rootOf(item['root']);
  if (root === undefined || typeof path !== 'string' || typeof target !== 'string') return undefined;
  return { root, path, target };
});

/** Images that are in their place. Unlike the others noted after the fact: the note says that the file is whole. */
export const imageNotes: Notes<PlacedImage> = notesOf('images', (item) => {
  if (!isInfo(item)) return undefined;
  const { path, reference } = item;
  const root = rootOf(item['root']);
  if (root === undefined || typeof path !== 'string' || typeof reference !== 'string') return undefined;
  return { root, path, reference };
});

/** Network cards that the DHCP server knows or is about to be told of. */
export const dhcpNotes: Notes<DhcpPort> = notesOf('dhcp', (item) => {
  if (!isInfo(item)) return undefined;
  const { portUuid, macAddress } = item;
  return typeof portUuid === 'string' && typeof macAddress === 'string' ? { portUuid, macAddress } : undefined;
});

/** Items of `all` that are not among `removed`. */
export function without<Item extends object>(all: readonly Item[], removed: readonly Item[]): readonly Item[] {
  const keys = new Set(removed.map(keyOf));
  return all.filter((item) => !keys.has(keyOf(item)));
}

function isSameSet(one: readonly object[], other: readonly object[]): boolean {
  return one.length === other.length && without(one as object[], other as object[]).length === 0;
}

function keyOf(item: object): string {
  return JSON.stringify(Object.entries(item).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
