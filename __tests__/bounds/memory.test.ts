import { MB, memoryOf } from './support';

/** Platform and client in one process, which sees both sides of the connection. */
const CLIENT = `
  const server = await bounds.platform();
  const call = (options) => server.instance.chain('v3/x').post({ json: {}, ...options });
  const codeOf = (promise) => promise.then(() => 'none', (error) => error.code);
  const CHUNKED = 'HTTP/1.1 200 OK\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n';
  const answering = (head, piece) => { server.state.answer = (socket) => { socket.write(head); bounds.endlessly(socket, piece); }; };
`;

/** 16 of them at once, so that what each holds adds up. */
const TOGETHER = (once: string) =>
  `() => Promise.all(Array.from({ length: 16 }, () => ${once})).then((codes) => codes.join())`;
const all = (code: string) => Array(16).fill(code).join();

test.each<[string, string, string, number]>([
  ['bodies without end', 'answering(CHUNKED, bounds.chunk(65536));', 'ERR_BODY_TOO_LARGE', 16 * 10 + 200],
  ['headers without end', "answering('HTTP/1.1 200 OK\\r\\n', 'x'.repeat(99) + ': x\\r\\n');", 'ERR_TRANSPORT', 150],
  [
    'bodies of errors without end',
    "answering(CHUNKED.replace('200', '500'), bounds.chunk(65536));",
    'HTTP_500',
    16 * 1 + 200,
  ],
])(
  '%s leave nothing in memory',
  (_, setUp, code, limit) => {
    const { kept, peak, results } = memoryOf(CLIENT + setUp, TOGETHER('codeOf(call())'), 3);
    for (const codes of results) expect(codes).toBe(all(code));
    expect(kept).toBeLessThan(4 * MB);
    expect(peak).toBeLessThan(limit * MB);
  },
  60_000,
);

test('a gzip bomb of 10 GB takes no more memory than a small file', () => {
  const setUp = `${CLIENT}
    const { gzipSync } = require('node:zlib');
    const member = gzipSync(Buffer.alloc(${100 * MB}));
    const framed = Buffer.concat([Buffer.from(member.length.toString(16) + '\\r\\n'), member, Buffer.from('\\r\\n')]);
    answering(CHUNKED, framed);
    const digest = { hash_type: 'SHA1', hash_value: '0'.repeat(40), tar_type: 'GZIP' };
  `;
  const once = `async () => {
    const { body } = await server.instance.v3.file.get({ download: true, digest });
    let read = 0;
    for await (const bytes of body) if ((read += bytes.length) > ${300 * MB}) break;
    return read > ${300 * MB};
  }`;
  const { kept, peak, results } = memoryOf(setUp, once, 2);
  expect(results).toEqual([true, true]);
  expect(kept).toBeLessThan(4 * MB);
  expect(peak).toBeLessThan(80 * MB);
}, 90_000);

test('notifications without end leave nothing in memory', () => {
  const setUp = `
    const { connect } = require('node:net');
    const Notifications = require('./lib/notification');
    const { apiv3Key, certs, secret, serve } = require('./__tests__/notification/support');
    const handle = Notifications.of({ certs, apiv3Key, secret, onError: () => {} }).nodeHandler(() => {});
    const server = await serve((request, response) => handle(request, response));
  `;
  const once = `() => new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1').on('error', () => {});
    let answer = '';
    socket.on('data', (bytes) => { answer += bytes; }).on('close', () => resolve(answer.slice(9, 12)));
    socket.write('POST / HTTP/1.1\\r\\nhost: x\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n');
    bounds.endlessly(socket, bounds.chunk(65536));
  })`;
  const { kept, peak, results } = memoryOf(setUp, TOGETHER(`(${once})()`), 5);
  expect(results).toEqual(Array(5).fill(all('413')));
  expect(kept).toBeLessThan(4 * MB);
  expect(peak).toBeLessThan(150 * MB);
}, 60_000);
