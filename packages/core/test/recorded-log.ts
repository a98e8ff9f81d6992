import type { Logger } from '../src/index.ts';

/** A logger that keeps what it is given, as `<level> <message>`. */
export function recordedLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (_facts: object, message: string) => {
    lines.push(`${level} ${message}`);
  };
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return { log, lines };
}
