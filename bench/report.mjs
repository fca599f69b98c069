import { median, quartiles, table } from './table.mjs';

/** What is measured in each slice; the rest is measured in each round. */
const SLICED = ['rate', 'cpu', 'delay'];
const MILLISECONDS = ['p50', 'p99', 'delay'];
const HEADS = {
  rate: 'calls/s',
  cpu: 'CPU µs/call',
  p50: 'p50 ms',
  p99: 'p99 ms',
  delay: 'delay p99 ms',
  rss: 'RSS MB',
  heap: 'heap MB',
};
const RATIOS = { rate: 'calls/s', cpu: 'CPU/call', p50: 'p50', p99: 'p99', delay: 'delay p99' };

const figures = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** All that was measured of something, in the order of time. */
function valuesOf({ rounds }, concurrency, what) {
  const all = rounds.map((round) => round[concurrency]);
  if (SLICED.includes(what)) return all.flatMap(({ slices }) => slices.map((slice) => slice[what]));
  return all.map((one) => one[what]);
}

/** Ratios of what was measured of two contenders one right after the other: the median, and where half of them lie. */
function ratioOf(mine, other, concurrency, what) {
  const others = valuesOf(other, concurrency, what);
  const ratios = valuesOf(mine, concurrency, what).map((value, at) => value / others[at]);
  const [low, high] = quartiles(ratios).map((value) => value.toFixed(2));
  return `${median(ratios).toFixed(2)} (${low}–${high})`;
}

function measured(results, concurrency) {
  const write = (result, what) => {
    const value = median(valuesOf(result, concurrency, what));
    return figures(MILLISECONDS.includes(what) ? value / 1000 : value);
  };
  return table(
    ['', ...Object.values(HEADS)],
    [...results].map(([name, result]) => [name, ...Object.keys(HEADS).map((what) => write(result, what))]),
  );
}

function ratios(results, concurrency, reference) {
  const others = [...results].filter(([name]) => name !== reference);
  return table(
    [`÷ ${reference}`, ...Object.values(RATIOS)],
    others.map(([name, result]) => [
      name,
      ...Object.keys(RATIOS).map((what) => ratioOf(result, results.get(reference), concurrency, what)),
    ]),
  );
}

/** The ratios of one contender to others, a column for each concurrency. */
export function summaryTable(results, concurrencies, name, references) {
  const rows = references.flatMap((reference) =>
    Object.entries(RATIOS).map(([what, head]) => [
      `${head} ÷ ${reference}`,
      ...concurrencies.map((concurrency) => ratioOf(results.get(name), results.get(reference), concurrency, what)),
    ]),
  );
  return table([name, ...concurrencies.map((concurrency) => `concurrency ${concurrency}`)], rows);
}

/** What was measured, by contender, and its ratios to each of the references. */
export function throughputTables(results, concurrencies, references) {
  return concurrencies
    .flatMap((concurrency) => [
      `**Concurrency ${concurrency}**`,
      measured(results, concurrency),
      ...references.map((reference) => ratios(results, concurrency, reference)),
    ])
    .join('\n\n');
}

/** Times to load and to the first answer; `ratio` is to undici, and to the floor. */
export function coldStartTable({ required, answered }) {
  const rows = (times, reference) =>
    [...times].map(([name, time]) => [name, time.toFixed(0), (time / times.get(reference)).toFixed(2)]);
  return [
    table(['`require`', 'ms', '÷ undici'], rows(required, 'undici')),
    table(['`require` to first answer', 'ms', '÷ floor'], rows(answered, 'floor')),
  ].join('\n\n');
}

/** How much is installed. */
export function sizeTable(sizes) {
  const ours = sizes.get('ours').megabytes;
  return table(
    ['', 'packages', 'files', 'MB', '÷ ours'],
    [...sizes].map(([name, { packages, files, megabytes }]) => [
      name,
      packages,
      files,
      figures(megabytes),
      (megabytes / ours).toFixed(2),
    ]),
  );
}

/** Who takes an answer that another has signed. */
export function verifiesLine(results) {
  const careless = [...results].filter(([, { verifies }]) => !verifies).map(([name]) => name);
  return careless.length > 0
    ? `Took a wrong signature: ${careless.join(', ')}. All others refused it.`
    : 'All refused a wrong signature.';
}
