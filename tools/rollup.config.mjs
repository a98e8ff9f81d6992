// Builds one package: run in its folder. Entries are the `default` targets of `exports` and the targets of `bin`.
import { globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformSync } from 'oxc-transform';

const { exports, bin = {}, dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const external = Object.keys({ ...dependencies, ...peerDependencies });
const targets = [...Object.values(exports).map((entry) => entry.default), ...Object.values(bin)].filter(Boolean);
const entries = targets.map((path) => path.replace(/^\.\/dist\/(.+)\.js$/, '$1'));

/** Strips types with oxc and ships the declarations that `tsc -b` left in .types/src. */
const typescript = {
  name: 'typescript',
  buildStart: () => rmSync('dist', { recursive: true, force: true }),
  resolveId: (source, importer) => (importer && /^\..+\.ts$/.test(source) ? resolve(dirname(importer), source) : null),
  transform(source, id) {
    const { code, map, errors } = transformSync(id, source, { sourcemap: true, target: 'es2024' });
    return errors.length > 0 ? this.error(errors[0].message) : { code, map };
  },
  generateBundle() {
    for (const path of globSync('**/*.ts', { cwd: 'src' })) {
      const fileName = path.replace(/\.ts$/, '.d.ts');
      this.emitFile({ type: 'asset', fileName, source: readFileSync(join('.types/src', fileName)) });
    }
  },
};

export default {
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  external: (id) => id.startsWith('node:') || external.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [typescript],
  output: { dir: 'dist', format: 'es', sourcemap: true, preserveModules: true, preserveModulesRoot: 'src' },
  onwarn(warning) {
    throw new Error(warning.message);
  },
};
