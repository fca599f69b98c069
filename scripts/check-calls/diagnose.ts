import { resolve } from 'node:path';
import ts from 'typescript';

const PROJECT = resolve(__dirname, '../..');
const PREAMBLE = `import type { BrandChain, Chain } from '../../lib/openapi/chain';\ndeclare const instance: Chain, brand: BrandChain;\n`;

/** The settings of most users. */
const SETTINGS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.Node20,
  types: ['node'],
  skipLibCheck: true,
};

/**
 * The compiler's messages for statements that use `instance`, a merchant's client, or `brand`.
 * @param files statements by file, one per line
 * @returns for each file and statement the first message, or undefined
 */
export function diagnose(files: readonly (readonly string[])[]): (string | undefined)[][] {
  const texts = new Map(
    files.map((statements, index) => [
      resolve(PROJECT, `scripts/check-calls/virtual-${index}.ts`),
      `${PREAMBLE}${statements.join('\n')}\n`,
    ]),
  );
  const host = ts.createCompilerHost(SETTINGS);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language, ...rest) => {
    const text = texts.get(name);
    return text === undefined ? getSourceFile(name, language, ...rest) : ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram([...texts.keys()], SETTINGS, host);
  return [...texts.keys()].map((name, index) => {
    const file = program.getSourceFile(name);
    const messages: (string | undefined)[] = Array.from({ length: files[index]?.length ?? 0 });
    const offset = PREAMBLE.split('\n').length - 1;
    const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    for (const { start = 0, messageText } of diagnostics) {
      const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) - offset;
      messages[line] ??= ts.flattenDiagnosticMessageText(messageText, '\n');
    }
    return messages;
  });
}
