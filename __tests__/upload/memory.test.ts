import { execFileSync } from 'node:child_process';

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
    const { Media } = require('./lib/upload/media');
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
