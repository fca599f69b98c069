/**
 * A platform in a process of its own that costs as little as it can: it checks the signature of the first request of
 * each connection, and signs its answer, the same for all, once a second.
 */
import { randomBytes, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { CODE_URL, FORGED } from './setup.mjs';

const [{ merchantKey, platformId, platformPrivateKey }] = await once(process, 'message');
const body = JSON.stringify({ code_url: CODE_URL });
const END_OF_HEAD = '\r\n\r\n';
let signedAt = 0;
let answer;
let forged;

const server = createServer({ noDelay: true }, (socket) => {
  let held = Buffer.alloc(0);
  let checked = false;
  socket
    .on('error', () => {})
    .on('data', (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      for (;;) {
        const end = held.indexOf(END_OF_HEAD);
        if (end < 0) return;
        const head = held.latin1Slice(0, end);
        const from = end + END_OF_HEAD.length;
        const to = from + Number(/\r\ncontent-length: *(\d+)/i.exec(head)[1]);
        if (held.length < to) return;
        const content = held.subarray(from, to);
        held = held.subarray(to);
        if (!checked && !isSigned(head, content))
          return socket.end(write('401 Unauthorized', '{"code":"SIGN_ERROR"}', ''));
        checked = true;
        renew();
        socket.write(content.includes(FORGED) ? forged : answer);
      }
    });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());

function isSigned(head, content) {
  const [method, target] = head.split(' ', 2);
  const line = /\r\nauthorization: *WECHATPAY2-SHA256-RSA2048 (.*)/i.exec(head)?.[1] ?? '';
  const { nonce_str, timestamp, signature } = Object.fromEntries(
    [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const message = Buffer.concat([
    Buffer.from(`${method}\n${target}\n${timestamp}\n${nonce_str}\n`),
    content,
    Buffer.from('\n'),
  ]);
  return verify('sha256', message, merchantKey, Buffer.from(signature ?? '', 'base64'));
}

function renew() {
  const now = Math.floor(Date.now() / 1000);
  if (now === signedAt) return;
  signedAt = now;
  answer = write('200 OK', body, signatureHeaders(now, body));
  forged = write('200 OK', body, signatureHeaders(now, `${body} `));
}

function signatureHeaders(time, content) {
  const nonce = randomBytes(16).toString('hex');
  const signature = sign('sha256', Buffer.from(`${time}\n${nonce}\n${content}\n`), platformPrivateKey).toString(
    'base64',
  );
  return (
    `Wechatpay-Nonce: ${nonce}\r\nWechatpay-Signature: ${signature}\r\nWechatpay-Timestamp: ${time}\r\n` +
    `Wechatpay-Serial: ${platformId}\r\nWechatpay-Signature-Type: WECHATPAY2-SHA256-RSA2048\r\n`
  );
}

/** The headers are those that WeChat Pay sends. */
function write(status, content, headers) {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nServer: nginx\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(content)}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=8\r\n` +
      `Cache-Control: no-cache, must-revalidate\r\nX-Content-Type-Options: nosniff\r\nRequest-ID: 08F78BB5AF0610D302189F80AF2328C5C801-0\r\n` +
      `Content-Language: zh-CN\r\n${headers}\r\n${content}`,
  );
}
