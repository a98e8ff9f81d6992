import { databaseStatus, migrateDatabase } from '@ironbark/store';
import { loadConfig } from '../config/load.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { print, printJson } from './print.ts';

export async function migrate({ site }: { readonly site: string }): Promise<ExitCode> {
  const { file } = loadConfig(site).database;
  const applied = await migrateDatabase(file);
  print(applied.length === 0 ? `${file} is up to date.` : `${file}: applied ${applied.join(', ')}.`);
  return exitCodes.success;
}

export async function status({ site, json }: { readonly site: string; readonly json?: true }): Promise<ExitCode> {
  const { file } = loadConfig(site).database;
  const { exists, version, latest, pending } = await databaseStatus(file);
  if (json) printJson({ file, exists, version, latest, pending });
  else if (exists)
    print(`${file}: schema ${version} of ${latest}${pending.length > 0 ? `, pending: ${pending.join(', ')}` : ''}`);
  else print(`${file} does not exist yet; the first start makes it.`);
  if (version > latest && !json) print('A newer version of Ironbark wrote it; this one cannot serve it.');
  return pending.length > 0 || version > latest ? exitCodes.failure : exitCodes.success;
}
