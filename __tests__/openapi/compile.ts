import { resolve } from 'node:path';
import ts from 'typescript';

const PREAMBLE = `
import { type BrandChain, type BrandConfig, Builder, type Chain, type ClientConfig, Notifications } from 'wechatpay-undici';
declare const instance: ReturnType<typeof Builder.factory>;
declare const brand: BrandChain;
declare const [merchantConfig, brandConfig]: [ClientConfig, BrandConfig];
`;
const root = resolve(__dirname, '../..');
const file = resolve(root, '__tests__/openapi/virtual.ts');
const SETTINGS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.Node20,
  types: ['node'],
  paths: { 'wechatpay-undici': [resolve(root, 'lib/index.ts')] },
  skipLibCheck: true,
};

/** What the compiler says of a piece of TypeScript that uses `instance`; with the settings that most users have. */
export function compile(source: string, settings: ts.CompilerOptions = {}): string[] {
  const { program, diagnostics } = programOf(`${PREAMBLE}async function main() {\n${source}\n}\nmain;`, settings);
  return diagnostics(program.getSourceFile(file)).map(textOf);
}

/**
 * Compiles many statements that use `instance` in one program.
 * @param previous a program whose files are taken over, so that they are not read again
 * @returns for each statement, the first thing that the compiler says of it
 */
export function compileEach(statements: readonly string[], previous?: ts.Program): (string | undefined)[] {
  const [before, after] = ['export function main() {\n', '\n}'];
  const { program, diagnostics } = programOf(PREAMBLE + before + statements.join('\n') + after, {}, previous);
  const source = program.getSourceFile(file);
  const offset = (PREAMBLE + before).split('\n').length - 1;
  const found = statements.map((): string | undefined => undefined);
  for (const diagnostic of diagnostics(source)) {
    const index = (source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0) - offset;
    if (index < 0 || index >= found.length) throw new Error(`Outside the statements: ${textOf(diagnostic)}`);
    found[index] ??= textOf(diagnostic);
  }
  return found;
}

/** A program of one virtual file among the project's. */
export function programOf(text: string, settings: ts.CompilerOptions = {}, previous?: ts.Program) {
  const options = { ...SETTINGS, ...settings };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language, ...rest) =>
    name === file ? ts.createSourceFile(name, text, language) : getSourceFile(name, language, ...rest);
  const program = ts.createProgram([file], options, host, previous);
  const diagnostics = (of?: ts.SourceFile) => ts.getPreEmitDiagnostics(program, of);
  return { program, diagnostics, source: program.getSourceFile(file) };
}

/** What the compiler says, and on a line of its own the code that it marks. */
function textOf({ messageText, file, start = 0, length = 0 }: ts.Diagnostic): string {
  return `${ts.flattenDiagnosticMessageText(messageText, '\n')}\nat ${file?.text.slice(start, start + length)}`;
}
