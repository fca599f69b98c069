import { traitOf } from '../../lib/openapi/trait-of';
import type { Chain, Operation } from './operations';
import { quoted, sampleOf } from './sample';
import type { Member } from './shape';

/** A call in one of the styles. */
export interface CallForm {
  title: string;
  code: string;
}

/** The styles, named as in wechatpay-php. */
const STYLES: readonly { title: string; target: (operation: Operation) => Chain | undefined }[] = [
  { title: '纯链式', target: ({ chain }) => chain },
  { title: '声明式', target: ({ path }) => ({ text: `.chain(${quoted(path)})`, options: [] }) },
  { title: '属性式', target: ({ path }) => ({ text: `[${quoted(path)}]`, options: [] }) },
];

/** How to read a response: with `await`, and in a promise chain. */
interface Taking {
  wait: (call: string) => string;
  steps: string[];
}

const EMPTY: Taking = {
  wait: (call) => `const { status } = await ${call};\nconsole.log(status);`,
  steps: ['.then(({ status }) => console.log(status))'],
};
const DOWNLOAD: Taking = {
  wait: (call) => `const { body } = await ${call};\nawait writeFile('download', body);`,
  steps: [".then(({ body }) => writeFile('download', body))"],
};

const PAGE: Taking = {
  wait: (call) => `const url = await ${call}.text();\nconsole.log(url);`,
  steps: ['.then((response) => response.text())', '.then((url) => console.log(url))'],
};

/** The call forms of an operation: each style, awaited and as a promise chain. */
export function callForms(operation: Operation): CallForm[] {
  const { verb } = operation;
  const { wait, steps } = takingOf(operation);
  const targets = STYLES.flatMap(({ title, target }) => {
    const chain = target(operation);
    return chain ? [{ title, target: `instance${chain.text}`, given: argumentOf(operation, chain) }] : [];
  });
  return [
    ...targets.map(({ title, target, given }) => ({
      title: `await ${title}`,
      code: wait(`${target}.${verb}(${given})`),
    })),
    ...targets.map(({ title, target, given }) => ({
      title: `then ${title}`,
      code: `${[`${target}`, `.${verb}Async(${given})`, ...steps].join('\n  ')};`,
    })),
  ];
}

/** The lines before a call: imports, and a value for each required option. */
export function callSetup(operation: Operation): string {
  const { path, verb, upload, result } = operation;
  const given = requiredOptions(operation);
  const typed = given.filter(isTyped);
  const type = typed.length > 0;
  const imports = [
    ...(result === 'download' ? ["import { writeFile } from 'node:fs/promises';"] : []),
    ...(upload ? [`import { Media${type ? ', type RequestOf' : ''} } from 'wechatpay-undici';`] : []),
    ...(type && !upload ? ["import type { RequestOf } from 'wechatpay-undici';"] : []),
  ];
  const values = given.map((option) => {
    const type = isTyped(option) ? `: RequestOf<${quoted(path)}, ${quoted(verb)}>[${quoted(option.name)}]` : '';
    return `const ${option.name}${type} = ${sampleOf(option.shape, option.label || option.name)};`;
  });
  if (upload) values.push("const body = await Media.from('/path/to/file.png');");
  return [imports, values]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** String options become constants of their own type; objects are checked against the type of the option. */
function isTyped({ shape }: Member): boolean {
  return shape.kind !== 'plain' && shape.kind !== 'enum';
}

function requiredOptions({ options }: Operation): Member[] {
  return options.filter(({ optional }) => !optional);
}

/** URI variables first, then the body. */
function argumentOf(operation: Operation, chain: Chain): string {
  const own = requiredOptions(operation).map(({ name }) => name);
  const fixed = chain.options.map(({ name, shape }) => `${name}: ${sampleOf(shape, name)}`);
  const all = [...fixed, ...own, ...(operation.upload ? ['body'] : [])];
  return all.length > 0 ? `{ ${all.join(', ')} }` : '';
}

function takingOf({ path, verb, result }: Operation): Taking {
  if (traitOf(verb, path)?.redirect !== undefined) return PAGE;
  if (result === 'download') return DOWNLOAD;
  if (result.kind === 'plain' && result.text === 'undefined') return EMPTY;
  const reader = path.startsWith('v2/') && !answersJson(verb, path) ? 'xml' : 'json';
  return {
    wait: (call) => `const result = await ${call}.${reader}();\nconsole.log(result);`,
    steps: [`.then((response) => response.${reader}())`, '.then((result) => console.log(result))'],
  };
}

function answersJson(verb: string, path: string): boolean {
  return Object.hasOwn(traitOf(verb, path) ?? {}, 'json');
}
