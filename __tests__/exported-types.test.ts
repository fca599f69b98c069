import { relative, resolve, sep } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '..');
const folder = resolve(root, 'dist');
const entries = ['index.d.ts', 'sandbox/index.d.ts'];
/** Each of these is an entry of its own: `wechatpay-undici/openapi/v3/pay`; but `traits`, a table for the client. */
const generated = resolve(folder, 'openapi/generated') + sep;
const isModule = (file: string) => file.startsWith(generated) && file !== `${generated}traits.d.ts`;

/** The declarations as the build writes them, by the path of their file: inferred types are written out in them. */
function declarations(): Map<string, string> {
  const { config } = ts.readConfigFile(resolve(root, 'tsconfig.build.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const texts = new Map<string, string>();
  ts.createProgram(fileNames, { ...options, outDir: folder, noCheck: true }).emit(undefined, (file, text) => {
    texts.set(resolve(file), text);
  });
  return texts;
}

/** A program of the declarations alone. */
function programOf(texts: ReadonlyMap<string, string>): ts.Program {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.Node20,
    types: ['node'],
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const isOurs = (file: string) => file.startsWith(folder + sep);
  host.fileExists = (file) => (isOurs(file) ? texts.has(file) : fileExists(file));
  host.readFile = (file) => (isOurs(file) ? texts.get(file) : readFile(file));
  host.directoryExists = (path) => path === folder || isOurs(path) || ts.sys.directoryExists(path);
  host.getSourceFile = (file, language, ...rest) => {
    const text = texts.get(file);
    if (text === undefined) return getSourceFile(file, language, ...rest);
    return ts.createSourceFile(file, text, language, false);
  };
  const modules = [...texts.keys()].filter(isModule);
  return ts.createProgram([...entries.map((entry) => resolve(folder, entry)), ...modules], options, host);
}

const program = programOf(declarations());
const checker = program.getTypeChecker();

/** What a name stands for, wherever it was imported from. */
function unaliased(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Adds what a module exports, and what the namespaces among that export. */
function addExports(module: ts.Symbol, found: Set<ts.Symbol>): Set<ts.Symbol> {
  for (const exported of checker.getExportsOfModule(module).map(unaliased)) {
    if (found.has(exported)) continue;
    found.add(exported);
    if (exported.flags & ts.SymbolFlags.Module) addExports(exported, found);
  }
  return found;
}

/** The name in a piece of a signature that mentions a type. */
function mentioned(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isImportTypeNode(node)) return node.qualifier;
  return ts.isExpressionWithTypeArguments(node) ? node.expression : undefined;
}

/** What a declaration mentions, at whatever depth. */
function* mentions(node: ts.Node): Generator<ts.Symbol> {
  const name = mentioned(node);
  const symbol = name && checker.getSymbolAtLocation(name);
  if (symbol) yield unaliased(symbol);
  const children: ts.Node[] = [];
  node.forEachChild((child) => void children.push(child));
  for (const child of children) yield* mentions(child);
}

const fileOf = (declaration: ts.Node) => declaration.getSourceFile().fileName;

/** Whether it is one of the package's types; of a generic one, a parameter is no type of its own. */
function isOurs(symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || ts.isTypeParameterDeclaration(declaration)) return false;
  return fileOf(declaration).startsWith(folder + sep) && !fileOf(declaration).startsWith(generated);
}

/** The types that exported declarations mention and that have no exported name, each with one that mentions it. */
function unexported(exported: ReadonlySet<ts.Symbol>): Map<string, string> {
  const missing = new Map<string, string>();
  for (const symbol of exported) {
    for (const declaration of symbol.declarations ?? []) {
      if (ts.isSourceFile(declaration) || !fileOf(declaration).startsWith(folder + sep)) continue;
      for (const type of mentions(declaration)) {
        if (exported.has(type) || !isOurs(type)) continue;
        const [where] = type.declarations ?? [];
        missing.set(`${type.name} of ${where && relative(folder, fileOf(where))}`, symbol.name);
      }
    }
  }
  return missing;
}

const moduleOf = (file: ts.SourceFile | undefined) => file && checker.getSymbolAtLocation(file);

/** What users can name: by the two entries, and by the modules of generated types. */
function exportedNames(): Set<ts.Symbol> {
  const found = new Set<ts.Symbol>();
  const modules = [
    ...entries.map((entry) => program.getSourceFile(resolve(folder, entry))),
    ...program.getSourceFiles().filter(({ fileName }) => isModule(fileName)),
  ];
  for (const module of modules.map(moduleOf)) if (module) addExports(module, found);
  return found;
}

test('every type that a public signature mentions is exported by name', () => {
  const exported = exportedNames();
  const names = new Set([...exported].map(({ name }) => name));
  for (const name of ['Builder', 'Chain', 'Sandbox', 'PayTransactionsNativePostJson']) expect(names).toContain(name);
  expect(Object.fromEntries(unexported(exported))).toEqual({});
});

test.each([
  ['a member', 'Timeouts'],
  ['an option of a call', 'CommonOptions'],
  ['what a call returns', 'ResponsePromise'],
  ['a parent', 'PathNode'],
  ['a part of an alias', 'V3Config'],
  ['a parameter of the sandbox', 'PlatformKeyKind'],
])('the walk finds %s that has no name', (_, name) => {
  const exported = exportedNames();
  const without = new Set([...exported].filter((symbol) => symbol.name !== name));
  expect(without.size).toBeLessThan(exported.size);
  expect([...unexported(without).keys()]).toEqual([expect.stringMatching(`^${name} of `)]);
});
