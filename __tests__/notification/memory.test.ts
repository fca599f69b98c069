import { execFileSync } from 'node:child_process';

/**
 * Sends 10,000 notifications through one handler, in a process of its own, once the store in memory is as full as it
 * gets; gives what remains of them on the heap.
 */
const PROGRAM = `
  const Notifications = require('./lib/notification');
  const { apiv3Key, certs, secret, v2, v3 } = require('./__tests__/notification/support');
  const { Readable } = require('node:stream');
  let processed = 0;
  const { nodeHandler, webHandler } = Notifications.of({ certs, apiv3Key, secret, onError: (error) => { throw error; } });
  const fn = async () => { await null; processed++; };
  const [node, web] = [nodeHandler(fn), webHandler(fn)];
  let answered = 0;
  const response = () => ({ setHeader() {}, set statusCode(status) { if (status === 204) answered++; }, end() {} });
  const viaNode = ({ headers, body }) => node(Object.assign(Readable.from([Buffer.from(body)]), {
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    complete: true,
  }), response());
  const viaWeb = async ({ headers, body }) => {
    const { status } = await web(new Request('http://localhost/', { method: 'POST', headers, body }));
    if (status === 204) answered++;
  };
  const send = async (count) => {
    for (let at = 0; at < count; at += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 10 === 0 ? viaWeb : viaNode)(v3())));
    }
  };
  const heap = async () => {
    for (let i = 0; i < 4; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
    return process.memoryUsage().heapUsed;
  };
  await send(11_000);
  const before = await heap();
  await send(10_000);
  const grown = await heap() - before;
  console.log(JSON.stringify({ grown, processed, answered }));
`;

test('10,000 notifications leave nothing on the heap', () => {
  const args = ['--expose-gc', '-r', 'esbuild-register', '-e', `(async () => {${PROGRAM}})()`];
  const { grown, processed, answered } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect([processed, answered]).toEqual([21_000, 21_000]);
  // The table of a Map alone comes and goes with half a megabyte; 100 bytes kept of each would be seen.
  expect(grown).toBeLessThan(1_000_000);
}, 120_000);

test('no timer keeps a process alive that has handled notifications', () => {
  const program = `
    const Notifications = require('./lib/notification');
    const { apiv3Key, certs, v3 } = require('./__tests__/notification/support');
    const { headers, body } = v3();
    const web = Notifications.of({ certs, apiv3Key }).webHandler(() => {});
    const { status } = await web(new Request('http://localhost/', { method: 'POST', headers, body }));
    console.log(JSON.stringify({ status, active: process.getActiveResourcesInfo() }));
  `;
  const args = ['-r', 'esbuild-register', '-e', `(async () => {${program}})()`];
  const { status, active } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(status).toBe(204);
  expect(active).not.toContain('Timeout');
});
