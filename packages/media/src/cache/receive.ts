import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { isIronbarkError, type IronbarkError, type Logger } from '@ironbark/core';
import { imageError } from '../image-error.ts';
import type { ImageContent, Origin } from '../origin/origin.ts';

/** How often a download that breaks off on the way is taken up again. */
const resumptions = 3;

export interface Receipt {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Waited for before bytes are written. */
  readonly onBytes: (count: number) => Promise<void>;
  /** What was written does not count any more: the image begins anew. */
  readonly onRestart: () => void;
}

/**
 * Writes what an origin gives into a new file, and checks its length and its checksum.
 * @param first what was fetched already.
 * @returns the content that was written in the end, and its size.
 */
export async function receive(
  origin: Origin,
  first: ImageContent,
  receipt: Receipt,
): Promise<{ readonly content: ImageContent; readonly sizeBytes: number }> {
  await using file = await open(receipt.path, 'wx', 0o600);
  const writer = new ImageWriter(file, receipt);
  let content = first;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await writer.write(content);
      break;
    } catch (error) {
      if (attempt > resumptions || !isPassing(error) || receipt.signal.aborted) throw error;
      receipt.log.warn({ image: origin.name, bytes: writer.sizeBytes, reason: error.message }, 'A download broke off.');
      // There is no copy yet, so there is content.
      content = (await origin.fetch(null, writer.sizeBytes, receipt.signal)) ?? content;
    }
  }
  writer.check(origin.name, content);
  await file.sync();
  return { content, sizeBytes: writer.sizeBytes };
}

class ImageWriter {
  readonly #file: FileHandle;
  readonly #receipt: Receipt;
  #hash: Hash | undefined;
  #sizeBytes = 0;

  constructor(file: FileHandle, receipt: Receipt) {
    this.#file = file;
    this.#receipt = receipt;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async write({ bytes, offset, checksum }: ImageContent): Promise<void> {
    if (offset !== this.#sizeBytes) await this.#restart();
    if (checksum !== null) this.#hash ??= createHash(checksum.algorithm);
    for await (const chunk of bytes) {
      await this.#receipt.onBytes(chunk.byteLength);
      await writeAll(this.#file, chunk, this.#sizeBytes);
      this.#hash?.update(chunk);
      this.#sizeBytes += chunk.byteLength;
    }
  }

  check(name: string, { sizeBytes, checksum }: ImageContent): void {
    if (sizeBytes !== null && sizeBytes !== this.#sizeBytes) {
      throw corrupt(name, `has ${sizeBytes} bytes, but ${this.#sizeBytes} arrived`);
    }
    const value = this.#hash?.digest('hex');
    if (checksum !== null && checksum.value !== value) {
      throw corrupt(name, `has the ${checksum.algorithm} ${checksum.value}, but ${value} arrived`);
    }
  }

  async #restart(): Promise<void> {
    this.#receipt.onRestart();
    await this.#file.truncate(0);
    this.#hash = undefined;
    this.#sizeBytes = 0;
  }
}

/** A write may take a part of the bytes only. */
async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.byteLength;) {
    const { bytesWritten } = await file.write(chunk, written, chunk.byteLength - written, position + written);
    written += bytesWritten;
  }
}

function isPassing(error: unknown): error is IronbarkError {
  return isIronbarkError(error) && error.retryable && error.code !== 'IMAGE_NO_SPACE';
}

function corrupt(name: string, problem: string): IronbarkError {
  return imageError('IMAGE_CORRUPT', `Image ${name} ${problem}.`, {
    hint: 'Try again; when it stays so, upload the image again.',
    retryable: true,
  });
}
