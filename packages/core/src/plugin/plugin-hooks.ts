import type { Hooks } from '../hooks.ts';
import type { Logger } from '../logger.ts';
import { attributeError } from './attribute-error.ts';

/** Hooks as a plugin sees them: it may tap them, not call them. */
export type PluginHooks = {
  readonly [Name in keyof Hooks]: Pick<Hooks[Name], 'tap' | 'tapPromise' | 'tapAsync'>;
};

type Tap = string | { readonly name: string; readonly stage?: number; readonly before?: string };
type Arguments = readonly unknown[];

/** The hooks of one type, with the arguments left open: one wrapper serves all of them. */
interface AnyHook {
  tapPromise(options: Exclude<Tap, string>, run: (...values: Arguments) => Promise<void>): void;
}

/**
 * A plugin's own view of the hooks. Its taps carry the plugin's name (`@acme/x:audit`), in traces and for `before`. When a tap throws, a
 * `before…` hook fails with an error that names the plugin; for any other hook the error is logged and the next tap runs.
 */
export function hooksForPlugin(hooks: Hooks, packageName: string, log: Logger): PluginHooks {
  const views = Object.entries(hooks).map(([hookName, hook]) => [
    hookName,
    viewOf(hook as unknown as AnyHook, hookName, packageName, log),
  ]);
  return Object.fromEntries(views) as PluginHooks;
}

function viewOf(hook: AnyHook, hookName: string, packageName: string, log: Logger) {
  const guard = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (hookName.startsWith('before')) {
        throw attributeError(`Plugin ${packageName} stopped the action in ${hookName}`, error, {
          code: 'PLUGIN_HOOK_FAILED',
          hint: `See the documentation of ${packageName}.`,
        });
      }
      log.error({ plugin: packageName, hook: hookName, err: error }, `Plugin ${packageName} failed in ${hookName}.`);
    }
  };
  const tapPromise = (options: Tap, run: (...values: Arguments) => unknown): void => {
    const named = typeof options === 'string' ? { name: options } : options;
    hook.tapPromise({ ...named, name: `${packageName}:${named.name}` }, (...values) => guard(() => run(...values)));
  };
  return {
    tap: tapPromise,
    tapPromise,
    tapAsync(options: Tap, run: (...values: [...Arguments, (error?: unknown) => void]) => void): void {
      tapPromise(options, (...values) => {
        return new Promise<void>((resolve, reject) => {
          run(...values, (error) =>
            error === undefined || error === null || error === false ? resolve() : reject(error),
          );
        });
      });
    },
  };
}
