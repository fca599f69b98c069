import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Runs a program in a process of its own; gives what it prints as JSON. */
function run(program: string): Record<string, unknown> {
  const args = ['--expose-gc', '-r', 'esbuild-register', '-e', `(async () => {${program}})()`];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

const SIZE = 200 * 1024 * 1024;

test.each<[string, string, number]>([
  ['a file', 'file', 40],
  ['a stream', 'fs.createReadStream(file)', 60],
])(
  '200 MB from %s are hashed and sent without being held in memory',
  (_, source, limit) => {
    const { grown, sent, contentLength } = run(`
    const { Media } = require('./lib/media/media');
    const fs = require('node:fs');
    const directory = fs.mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'media-test-'));
    const file = directory + '/video.mp4';
    fs.writeFileSync(file, '');
    fs.truncateSync(file, ${SIZE});
    const before = process.memoryUsage.rss();
    let peak = 0;
    const sample = () => { peak = Math.max(peak, process.memoryUsage.rss()); };
    const timer = setInterval(sample, 5);
    const media = await Media.from(${source});
    let sent = 0;
    for await (const chunk of media.stream()) { sent += chunk.length; sample(); }
    clearInterval(timer);
    await media.dispose();
    fs.rmSync(directory, { recursive: true });
    console.log(JSON.stringify({ grown: peak - before, sent, contentLength: media.contentLength }));
  `);
    expect(sent).toBe(contentLength);
    expect(sent).toBeGreaterThan(SIZE);
    expect(grown).toBeLessThan(limit * 1024 * 1024);
  },
  60_000,
);

const SPOOL = `
  const { Media } = require('./lib/media/media');
  const { readdirSync, existsSync } = require('node:fs');
  const os = require('node:os');
  const { dirname } = require('node:path');
  let directory;
  const fsp = require('node:fs/promises');
  const mkdtemp = fsp.mkdtemp;
  fsp.mkdtemp = async (...args) => (directory = await mkdtemp(...args));
  async function* stream() { yield Buffer.from('x'); }
`;

test('the temporary file of a stream is deleted when the process exits', () => {
  const { directory, before } = run(`${SPOOL}
    globalThis.kept = await Media.from(stream(), { filename: 'a.png' });
    console.log(JSON.stringify({ directory, before: existsSync(directory) }));
  `);
  expect(before).toBe(true);
  expect(existsSync(String(directory))).toBe(false);
});

test('the temporary file of a stream is deleted when nothing refers to the media any more', () => {
  const { before, after } = run(`${SPOOL}
    await Media.from(stream(), { filename: 'a.png' });
    const before = existsSync(directory);
    for (let i = 0; i < 100 && existsSync(directory); i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      gc();
    }
    console.log(JSON.stringify({ before, after: existsSync(directory) }));
  `);
  expect([before, after]).toEqual([true, false]);
});
