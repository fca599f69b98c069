import { resolve } from 'node:path';
import ts from 'typescript';

const PREAMBLE = `
import { Builder } from 'wechatpay-undici';
declare const instance: ReturnType<typeof Builder.factory>;
`;
const root = resolve(__dirname, '../..');
const file = resolve(root, '__tests__/openapi/virtual.ts');

/** What the compiler says of a piece of TypeScript that uses `instance`; with the settings that most users have. */
export function compile(source: string, settings: ts.CompilerOptions = {}): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.Node20,
    types: ['node'],
    paths: { 'wechatpay-undici': [resolve(root, 'lib/index.ts')] },
    skipLibCheck: true,
    ...settings,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, language, ...rest) =>
    name === file
      ? ts.createSourceFile(name, `${PREAMBLE}async function main() {\n${source}\n}\nmain;`, language)
      : getSourceFile(name, language, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
