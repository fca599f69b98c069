import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { changelogEntry, changesBetween } from '../../scripts/changes/changes';
import type { Catalogue, Field, Operation, Webhook } from '../../scripts/generate/catalogue';
import { writeCatalogue } from './catalogue';

const root = resolve(__dirname, '../..');
const command = ['-r', 'esbuild-register', 'scripts/changes.ts'];

const field = (name: string, about: Partial<Field> = {}): Field => ({
  name,
  type: 'string',
  required: false,
  ...about,
});
const post = (path: string, json: Field[], response: Field[] = [], about: Partial<Operation> = {}): Operation => ({
  path,
  verb: 'post',
  protocol: 'v3',
  title: '',
  request: [field('json', { type: 'object', required: true, fields: json })],
  response,
  ...about,
});
const sold = (resource: Field[]): Webhook => ({
  name: 'GOODS.SOLD',
  protocol: 'v3',
  title: '',
  envelope: [],
  resource,
});
const catalogue = (operations: Operation[], webhooks: Webhook[] = []): Catalogue => ({ operations, webhooks });
const changes = (was: Field[], is: Field[], response?: [was: Field[], is: Field[]]) =>
  changesBetween(catalogue([post('v3/a', was, response?.[0])]), catalogue([post('v3/a', is, response?.[1])])).map(
    ({ kind, detail }) => `${kind}: ${detail}`,
  );

const on = { enum: ['ON', 'OFF'] };

test.each<[what: string, was: Field[], is: Field[], change: string]>([
  ['a member that may be written', [], [field('x')], 'added: `json.x`'],
  ['a member that must be written', [], [field('x', { required: true })], 'tightened: `json.x` (required)'],
  ['a member that is gone', [field('x')], [], 'removed: `json.x`'],
  ['one that is required now', [field('x')], [field('x', { required: true })], 'tightened: `json.x` is required'],
  ['one that is optional now', [field('x', { required: true })], [field('x')], 'loosened: `json.x` is optional'],
  ['another type', [field('x')], [field('x', { type: 'integer' })], 'changed: `json.x` string → integer'],
  ['an encrypted one', [field('x')], [field('x', { encrypted: 'rsa' })], 'changed: `json.x` is encrypted'],
  [
    'an enum that is closed now',
    [field('x', on)],
    [field('x', { ...on, closed: true })],
    'tightened: `json.x` takes ON, OFF alone',
  ],
  [
    'a value more',
    [field('x', { ...on, closed: true })],
    [field('x', { enum: ['ON', 'OFF', 'AUTO'], closed: true })],
    'loosened: `json.x` takes AUTO',
  ],
  [
    'a value less',
    [field('x', { ...on, closed: true })],
    [field('x', { enum: ['ON'], closed: true })],
    'tightened: `json.x` no longer takes OFF',
  ],
])('%s', (_what, was, is, change) => {
  expect(changes(was, is)).toEqual([change]);
});

test('of a response, what may be missing is tighter for who reads it, and values are not compared', () => {
  const required = field('list', { type: 'object[]', required: true, fields: [field('id', on)] });
  const optional = field('list', {
    type: 'object[]',
    fields: [field('id', { enum: ['ON'] }), field('more', { required: true })],
  });
  expect(changes([], [], [[required], [optional]])).toEqual([
    'tightened: `list[]` is optional',
    'added: `list[].more` (required)',
  ]);
});

test('operations, notifications and their state, as an entry of the changelog', () => {
  const before = catalogue([post('v3/old', []), post('v3/kept', [])], [sold([field('a')])]);
  const after = catalogue(
    [post('v3/new', []), post('v3/kept', [field('x', { required: true })], [], { marks: ['deprecated'] })],
    [sold([field('a'), field('b')])],
  );
  expect(changelogEntry(changesBetween(before, after))).toBe(`### Added

- \`GOODS.SOLD\`: \`b\`
- \`POST v3/new\`

### Removed

- \`POST v3/old\`

### Tightened (code that compiled may no longer)

- \`POST v3/kept\`: \`json.x\` (required)

### Changed

- \`POST v3/kept\`: marks none → deprecated`);
});

test('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechatpay-changes-'));
  try {
    const [was, is] = [join(folder, 'was'), join(folder, 'is')];
    writeCatalogue(was);
    writeCatalogue(is, [post('v3/a', [])], []);
    const run = (...args: string[]) =>
      execFileSync(process.execPath, [...command, ...args], { cwd: root, encoding: 'utf8' });
    expect(run(was, was)).toBe('The catalogues are the same.\n');
    expect(run(was, is)).toMatch(/^### Added\n\n- `POST v3\/a`\n\n### Removed\n\n- `DELETE v3\/shop\//);
    const usage = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
    expect(usage).toMatchObject({ status: 2, stderr: expect.stringContaining('Usage:') });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
