import { segment } from '../../lib/chain/chain';
import { type Operation, operationsOf, VERBS } from './calls';
import { compileEach } from './compile';

// `SAMPLE=all` takes every operation, and writes optional members as well.
const all = process.env.SAMPLE === 'all';
const { operations, program } = operationsOf();
operations.sort((a, b) => (`${a.verb} ${a.path}` < `${b.verb} ${b.path}` ? -1 : 1));
const every = all ? 1 : Math.max(1, Math.floor(operations.length / 230));
const sample = operations.filter((_, index) => index % every === 0);

// The chain's rule changes these; their aliases end in `{addinstitutionsub}`, `{empty}`, …
const WITHOUT_CHAIN = [
  'v2/secapi/mch/addInstitutionsub',
  'v2/secapi/mch/modifyInstitutionsub',
  'v2/secapi/mch/queryInstitutionsub',
  'v3/applyment4sub/applyment/',
  'v3/ecommerce/applyments/',
];

const argumentsOf = ({ minimal, full }: Operation) => (all ? [minimal, full] : [minimal]);

test('the sample is large, and from everywhere', () => {
  expect(operations.length).toBeGreaterThanOrEqual(1216);
  expect(sample.length).toBeGreaterThanOrEqual(200);
  expect(new Set(sample.map(({ verb }) => verb))).toEqual(new Set(VERBS));
  const areas = (of: readonly Operation[]) => new Set(of.map(({ path }) => path.split('/', 2).join('/'))).size;
  expect(areas(sample)).toBeGreaterThan(areas(operations) / 2);
});

test('the property chain gives the path; where there is none, an alias has one', () => {
  for (const { path, styles } of operations.filter(({ styles }) => styles.length === 3)) {
    const keys = [...(styles[0] ?? '').matchAll(/\.(\w+)|\['(.*?)'\]/g)].map(
      ([, name, literal]) => name ?? literal ?? '',
    );
    expect(keys.map(segment).join('/')).toBe(path);
  }
  const without = operations.filter(({ styles }) => styles.length < 3).map(({ path }) => path);
  expect(without.sort()).toEqual(WITHOUT_CHAIN);
  const aliases = operations.filter(({ path }) => /\{(\w+institutionsub|empty)\}$/.test(path));
  expect(aliases.map(({ styles }) => styles.length)).toEqual(WITHOUT_CHAIN.map(() => 3));
});

test('a call with its required members compiles in each style', () => {
  const calls = sample.flatMap((operation) =>
    argumentsOf(operation).flatMap(({ text }) =>
      operation.styles.flatMap((style) =>
        ['', 'Async'].map((name) => `void ${style}.${operation.verb}${name}(${text});`),
      ),
    ),
  );
  const wrong = compileEach(calls, program).flatMap((message, index) =>
    message ? [`${calls[index]}\n${message}`] : [],
  );
  expect(wrong).toEqual([]);
  if (all) console.log(`${sample.length} operations, ${calls.length} calls`);
}, 600_000);

test('without any one of them, or with an option that there is not, it does not', () => {
  const calls = sample.flatMap((operation) => {
    const texts = argumentsOf(operation).flatMap(({ text, without }) => [
      ...new Set(without.map((one) => one.text)),
      text.replace(/ ?\}$/, `${text === '{  }' ? '' : ','} noSuchOption: 1 }`),
    ]);
    return operation.styles.flatMap((style) => texts.map((text) => `void ${style}.${operation.verb}(${text});`));
  });
  const found = compileEach(calls, program);
  expect(calls.filter((_, index) => found[index] === undefined)).toEqual([]);
  if (all) console.log(`${sample.length} operations, ${calls.length} calls`);
}, 600_000);
