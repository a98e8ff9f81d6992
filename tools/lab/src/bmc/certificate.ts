import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../child-process.ts';

export interface Certificate {
  readonly key: string;
  readonly certificate: string;
  /** The certificate as a file: what a client that verifies takes as CA file. */
  readonly caFile: string;
}

/** Makes a key and a self-signed certificate for 127.0.0.1 and localhost, valid for a day. @throws LAB_COMMAND_FAILED */
export async function createCertificate(directory: string): Promise<Certificate> {
  const keyFile = join(directory, 'bmc-key.pem');
  const caFile = join(directory, 'bmc-ca.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const subject = ['-subj', '/CN=Ironbark lab BMC', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  await run('openssl', ['req', '-x509', '-days', '1', ...key, ...subject, '-out', caFile]);
  const [keyText, certificate] = await Promise.all([readFile(keyFile, 'utf8'), readFile(caFile, 'utf8')]);
  return { key: keyText, certificate, caFile };
}
