/** One entry of an initramfs: a directory, a symbolic link or a file. */
export type CpioEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'file'; readonly content: Buffer; readonly executable: boolean };

const fileType = { directory: 0o040000, link: 0o120000, file: 0o100000 } as const;

/** Packs the "new ASCII" cpio archive that Linux takes as initramfs (Documentation/driver-api/early-userspace/buffer-format). */
export function packCpio(entries: readonly CpioEntry[]): Buffer {
  const records = entries.map((entry, index) => record(entry, index + 1));
  return Buffer.concat([
    ...records,
    record({ path: 'TRAILER!!!', kind: 'file', content: Buffer.alloc(0), executable: false }, 0),
  ]);
}

function record(entry: CpioEntry, inode: number): Buffer {
  const body =
    entry.kind === 'file' ? entry.content : entry.kind === 'link' ? Buffer.from(entry.target) : Buffer.alloc(0);
  const name = Buffer.from(`${entry.path}\0`);
  const permissions = entry.kind === 'file' && !entry.executable ? 0o644 : 0o755;
  const fields = [inode, fileType[entry.kind] | permissions, 0, 0, 1, 0, body.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(body)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
