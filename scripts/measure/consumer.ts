import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { typescript, withConsumer } from './project';
import { startServer } from './tsserver';

const RUNS = 5;
const REQUESTS = 20;

/** Times in seconds, memory in megabytes. */
const FIGURES = {
  parse: 'Parse time',
  bind: 'Bind time',
  check: 'Check time',
  total: 'Total time',
  memory: 'Memory used',
  files: 'Files',
} as const;
type Figures = Record<keyof typeof FIGURES, number>;

/**
 * What the types cost a project that uses the package: `npm run measure:types`. The machine may be busy with other
 * things: the best run of each counts, the medians are shown beside it.
 */
function measureCompiler(folder: string): boolean {
  const runs = { without: [] as Figures[], with: [] as Figures[] };
  for (let run = 0; run < RUNS; run += 1) {
    for (const name of ['without', 'with'] as const) runs[name].push(compile(folder, `tsconfig.${name}.json`));
  }
  const values = (name: keyof typeof runs, key: keyof Figures) => runs[name].map((one) => one[key]);
  const more = (key: keyof Figures, of: (values: readonly number[]) => number) =>
    of(values('with', key)) - of(values('without', key));
  const best = (all: readonly number[]) => Math.min(...all);
  const rows = (Object.keys(FIGURES) as (keyof Figures)[]).map((key) => {
    const row = {
      without: best(values('without', key)),
      with: best(values('with', key)),
      more: more(key, best),
      'more (medians)': more(key, median),
    };
    return [key, Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value.toFixed(2)]))] as const;
  });
  console.log(`tsc --extendedDiagnostics, best of ${RUNS} interleaved runs (seconds, MB):`);
  console.table(Object.fromEntries(rows));
  return [
    holds('check time', more('check', best), 1.5, 's more'),
    holds('total time', more('total', best), 1.5, 's more'),
    holds('memory', more('memory', best), 150, 'MB more'),
  ].every(Boolean);
}

function compile(folder: string, project: string): Figures {
  const args = [typescript('tsc'), '-p', project, '--extendedDiagnostics'];
  const text = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const value = (name: string) => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(text)?.[1]);
  const entries = Object.entries(FIGURES).map(([key, name]) => [key, value(name) / (key === 'memory' ? 1024 : 1)]);
  return Object.fromEntries(entries) as Figures;
}

/** What an editor asks while a call is written; the response has the text. */
const QUESTIONS = [
  { command: 'completionInfo', line: 'instance.v3.pay.', has: '"transactions"' },
  { command: 'completionInfo', line: 'instance.v3.pay.transactions.native.', has: '"postAsync"' },
  { command: 'quickinfo', line: 'instance.v3.pay.transactions', has: 'PayTransactions' },
  { command: 'quickinfo', line: 'instance.v3.pay.transactions.native', has: 'Native下单' },
] as const;

async function measureEditor(folder: string): Promise<boolean> {
  const server = startServer(folder);
  try {
    const file = join(folder, 'completed.ts');
    const before = `import { Builder } from 'wechatpay-undici';\nconst instance = Builder.factory({} as never);\n`;
    const opened = performance.now();
    writeFileSync(file, `${before}${QUESTIONS.map(({ line }) => `${line}\n;\n`).join('')}`);
    server.tell('open', { file });
    await server.ask('projectInfo', { file, needFileNameList: false });
    console.log(`tsserver: the project is open after ${(performance.now() - opened).toFixed(0)} ms`);
    const kept: boolean[] = [];
    for (const [index, { command, line, has }] of QUESTIONS.entries()) {
      // Completion stands behind the last character, hovering is over it.
      const offset = line.length + (command === 'completionInfo' ? 1 : 0);
      const times: number[] = [];
      for (let request = 0; request <= REQUESTS; request += 1) {
        const start = performance.now();
        const response = await server.ask(command, { file, line: 3 + 2 * index, offset });
        times.push(performance.now() - start);
        if (!JSON.stringify(response).includes(has)) throw new Error(`${command} of "${line}" lacks ${has}.`);
        // As if typed: what the checker knows is gone, the files are not.
        server.tell('change', { file, line: 1, offset: 1, endLine: 1, endOffset: 1, insertString: ' ' });
      }
      const [first = Number.NaN, ...later] = times;
      kept.push(
        holds(`${command} of "${line}", the first`, first, 300, 'ms'),
        holds(`median of ${REQUESTS} later ones, each after an edit`, median(later), 300, 'ms'),
        holds('slowest of them', Math.max(...later), 300, 'ms'),
      );
    }
    return kept.every(Boolean);
  } finally {
    server.stop();
  }
}

function holds(what: string, value: number, limit: number, unit: string): boolean {
  const kept = value < limit;
  console.log(`${kept ? 'ok ' : 'MISSED'} ${what}: ${value.toFixed(2)} ${unit} (limit ${limit})`);
  return kept;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

withConsumer(async (folder) => {
  const results = [measureCompiler(folder), await measureEditor(folder)];
  process.exitCode = results.every(Boolean) ? 0 : 1;
}).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
