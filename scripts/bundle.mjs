/**
 * Makes the package's code, and trims the declarations that tsc has written into `dist`: `npm run build` does both.
 *
 *   node scripts/bundle.mjs          # into dist
 *   node scripts/bundle.mjs <folder> # into another folder, where tsc has written to
 *
 * The entries share chunks, so that nothing is in the package twice; the chunks of the sandbox and of the command are
 * loaded by these only.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = resolve(root, process.argv[2] ?? 'dist');

/** Lines of stack traces and of uncaught errors remain short; names remain. */
const printed = { platform: 'node', target: 'node20.18', minifyWhitespace: true, lineLimit: 120 };

/** esbuild splits modules only: each of the files becomes CommonJS afterwards. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['lib/index.ts', 'lib/sandbox/index.ts', 'lib/cli/index.ts'],
    bundle: true,
    splitting: true,
    format: 'esm',
    packages: 'external',
    chunkNames: 'chunks/[hash]',
    outdir: dist,
    write: false,
    logLevel: 'warning',
    ...printed,
  });
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, { format: 'cjs', logLevel: 'warning', ...printed });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code, { mode: code.startsWith('#!') ? 0o755 : 0o644 });
  }
}

/** Removes the declarations that no entry mentions, and indents the others by tabs: they are most of the package. */
function trimDeclarations() {
  const all = readdirSync(dist, { recursive: true })
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => join(dist, file));
  const isThere = new Set(all);
  const isEntry = (file) =>
    /^(?:index|sandbox.index|openapi.generated.(?!traits).+)\.d\.ts$/.test(relative(dist, file));
  const mentioned = new Set(all.filter(isEntry));
  for (const file of mentioned) {
    const text = readFileSync(file, 'utf8');
    for (const [, path] of text.matchAll(/\b(?:from|import) ?\(?['"](\.[^'"]*)['"]/g)) {
      const target = resolve(dirname(file), path);
      const found = [`${target}.d.ts`, join(target, 'index.d.ts')].find((name) => isThere.has(name));
      if (found === undefined) throw new Error(`${relative(root, file)} mentions ${path}, which has no declarations.`);
      mentioned.add(found);
    }
    writeFileSync(
      file,
      text.replace(/^(?: {4})+/gm, (indent) => '\t'.repeat(indent.length / 4)),
    );
  }
  for (const file of all) if (!mentioned.has(file)) rmSync(file);
}

await bundle();
trimDeclarations();
