/**
 * The other side, in a process of its own: a server of bare sockets that answers as the path says
 * (`/v3/soak/<fault>/<id>`, `/soak/<fault>/<id>` for v2), and notes of each call how often it arrived. Beside it the
 * platform on loopback, whose certificates change.
 */
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import simulation from '../../dist/sandbox/index.js';
import { NOT_CARRIED_OUT } from './faults.mjs';

const END_OF_HEAD = '\r\n\r\n';
/** How often WeChat Pay's keys change, in milliseconds: the public key, and the certificate. */
const NEW_KEY = 3000;
const NEW_CERTIFICATE = 15_000;

const platform = await simulation.Sandbox.start();
const { mchid, serial, privateKey, secret, apiv3Key } = platform.config;
const merchantKey = createPublicKey(privateKey);
const keys = ['PUB_KEY_ID_0000000000000000000000000000000001', 'PUB_KEY_ID_0000000000000000000000000000000002'].map(
  (id) => ({ id, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) }),
);
const bill = Buffer.from(
  `\ufeff交易时间,金额\r\n${'`2026-01-01,`100\r\n'.repeat(20_000)}总交易单数,总金额\r\n\`1,\`1\r\n`,
);
const zipped = gzipSync(bill);
let current = keys[0];

/** By id of a call: how often it arrived, and how often it was carried out. */
const records = new Map();
const nonces = new Set();
let badSignatures = 0;
let connections = 0;

function record(id, isCarriedOut) {
  const { arrived, carriedOut } = records.get(id) ?? { arrived: 0, carriedOut: 0 };
  records.set(id, { arrived: arrived + 1, carriedOut: carriedOut + Number(isCarriedOut) });
  return arrived + 1;
}

function signatureOf(body, time = Math.floor(Date.now() / 1000)) {
  const nonce = randomBytes(16).toString('hex');
  const message = Buffer.concat([Buffer.from(`${time}\n${nonce}\n`), Buffer.from(body), Buffer.from('\n')]);
  return {
    'wechatpay-timestamp': time,
    'wechatpay-nonce': nonce,
    'wechatpay-serial': current.id,
    'wechatpay-signature': sign('sha256', message, current.privateKey).toString('base64'),
  };
}

const head = (status, headers) =>
  `HTTP/1.1 ${status} X\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
const whole = (status, body, headers = {}) =>
  Buffer.concat([
    Buffer.from(head(status, { 'content-length': Buffer.byteLength(body), 'request-id': 'soak', ...headers })),
    Buffer.from(body),
  ]);

/** Fields as v2 signs them, by MD5. */
function signFields(fields) {
  const text = Object.keys(fields)
    .sort()
    .filter((name) => fields[name] !== '')
    .map((name) => `${name}=${fields[name]}`);
  return createHash('md5')
    .update(`${text.join('&')}&key=${secret}`)
    .digest('hex')
    .toUpperCase();
}
const xml = (fields) => {
  const members = Object.entries(fields).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  return `<xml>${members.join('')}</xml>`;
};
const readXml = (text) =>
  Object.fromEntries(
    [...text.matchAll(/<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))<\/\1>/gs)].map(([, name, cdata, plain]) => [
      name,
      cdata ?? plain,
    ]),
  );

/** Pieces of a body without end, as fast as they are taken. */
function pour(socket, piece) {
  const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
  const go = () => {
    while (!socket.destroyed && socket.write(chunk));
    if (!socket.destroyed) socket.once('drain', go);
  };
  go();
}

const BROKEN = {
  reset: (socket) => socket.resetAndDestroy(),
  cut: (socket) => socket.end(`${head(200, { 'content-length': 100, ...signatureOf('x') })}abc`),
  garbage: (socket) => socket.end(randomBytes(200)),
  hang: () => {},
  endless: (socket) => {
    socket.write(head(200, { 'transfer-encoding': 'chunked' }));
    pour(socket, Buffer.alloc(65_536, 'a'));
  },
};

const V3 = {
  ...BROKEN,
  well: (socket, { genuine }) => socket.write(genuine()),
  slow: (socket, { genuine }) => setTimeout(() => socket.write(genuine()), 100 * Math.random()),
  closing: (socket, { genuine }) => socket.end(genuine({ connection: 'close' })),
  hints: (socket, { genuine }) => socket.write(Buffer.concat([Buffer.from(head(103, { link: 'x' })), genuine()])),
  empty: (socket) => socket.write(head(204, signatureOf(''))),
  big: (socket, { id }) => {
    const body = JSON.stringify({ id, pad: 'a'.repeat(300_000) });
    socket.write(whole(200, body, signatureOf(body)));
  },
  racing: (socket, { genuine }) => {
    socket.write(genuine());
    setTimeout(() => socket.destroy(), 3 * Math.random());
  },
  once: (socket, { genuine, arrived }) => (arrived === 1 ? socket.resetAndDestroy() : socket.write(genuine())),
  busy: (socket) => socket.write(whole(Math.random() < 0.5 ? 429 : 503, '{"code":"BUSY"}', { 'retry-after': '0' })),
  busyOnce: (socket, { genuine, arrived }) =>
    socket.write(arrived === 1 ? whole(429, '{"code":"FREQUENCY_LIMITED"}') : genuine()),
  system: (socket) => socket.write(whole(500, '{"code":"SYSTEM_ERROR","message":"later"}')),
  refused: (socket) => {
    const body = '{"code":"PARAM_ERROR","message":"no"}';
    socket.write(whole(400, body, signatureOf(body)));
  },
  redirect: (socket) => socket.write(whole(302, '', { location: 'http://127.0.0.1:1/' })),
  unsigned: (socket, { id }) => socket.write(whole(200, JSON.stringify({ id }))),
  forged: (socket, { id }) => socket.write(whole(200, JSON.stringify({ id, forged: 1 }), signatureOf('{}'))),
  skewed: (socket, { id }) => socket.write(whole(200, JSON.stringify({ id }), signatureOf(JSON.stringify({ id }), 1))),
  probe: (socket, { id }) => {
    const headers = { ...signatureOf('{}'), 'wechatpay-signature': 'WECHATPAY/SIGNTEST/0000' };
    socket.write(whole(200, JSON.stringify({ id }), headers));
  },
  drip: (socket) => {
    socket.write(head(200, { 'transfer-encoding': 'chunked', ...signatureOf('x') }));
    const timer = setInterval(() => socket.write('1\r\na\r\n'), 50);
    socket.once('close', () => clearInterval(timer));
  },
  file: (socket) => socket.write(whole(200, bill)),
  zipped: (socket) => socket.write(whole(200, zipped)),
  otherFile: (socket) => socket.write(whole(200, bill.subarray(1))),
  cutFile: (socket) =>
    socket.end(Buffer.concat([Buffer.from(head(200, { 'content-length': bill.length })), bill.subarray(0, 1000)])),
  hungFile: (socket) =>
    socket.write(Buffer.concat([Buffer.from(head(200, { 'content-length': bill.length })), bill.subarray(0, 1000)])),
};

const success = (id) => ({ return_code: 'SUCCESS', result_code: 'SUCCESS', mch_id: mchid, id });
const V2 = {
  ...BROKEN,
  well: (socket, { id }) => V2.signed(socket, success(id)),
  slow: (socket, call) => setTimeout(() => V2.well(socket, call), 100 * Math.random()),
  failed: (socket, { id }) => V2.signed(socket, { ...success(id), result_code: 'FAIL', err_code: 'ORDERPAID' }),
  system: (socket, { id }) => V2.signed(socket, { ...success(id), result_code: 'FAIL', err_code: 'SYSTEMERROR' }),
  unsigned: (socket, { id }) => socket.write(whole(200, xml(success(id)))),
  forged: (socket, { id }) => socket.write(whole(200, xml({ ...success(id), sign: signFields(success('another')) }))),
  signed: (socket, fields) => socket.write(whole(200, xml({ ...fields, sign: signFields(fields) }))),
};

/** Whether a request is signed as it must be; of an upload its description is. */
function isSigned(protocol, { method, target, headers, body }) {
  if (protocol === 'v2') {
    const { sign: signature, ...fields } = readXml(body.toString());
    return signature === signFields(fields) && isNew(fields.nonce_str);
  }
  const parameters = /authorization: *WECHATPAY2-SHA256-RSA2048 (.*)/i.exec(headers)?.[1] ?? '';
  const { nonce_str, timestamp, signature } = Object.fromEntries(
    [...parameters.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const form =
    /content-type: *multipart/i.test(headers) &&
    /name="meta"[\s\S]*?\r\n\r\n([\s\S]*?)\r\n--/.exec(body.toString('latin1'));
  const content = form ? Buffer.from(form[1], 'latin1') : body;
  const message = Buffer.concat([
    Buffer.from(`${method}\n${target}\n${timestamp}\n${nonce_str}\n`),
    content,
    Buffer.from('\n'),
  ]);
  return isNew(nonce_str) && verify('sha256', message, merchantKey, Buffer.from(signature ?? '', 'base64'));
}

function isNew(nonce) {
  if (typeof nonce !== 'string' || nonces.has(nonce)) return false;
  nonces.add(nonce);
  // The oldest gives way, so that this process does not grow either.
  if (nonces.size > 50_000) nonces.delete(nonces.values().next().value);
  return true;
}

function respond(socket, request) {
  const [, v3, fault, id] = /^(\/v3)?\/soak\/(\w+)\/([\w-]+)/.exec(request.target) ?? [];
  const protocol = v3 ? 'v3' : 'v2';
  const answer = (protocol === 'v3' ? V3 : V2)[fault];
  if (!answer) throw new Error(`There is no fault for ${request.target}.`);
  if (!isSigned(protocol, request)) badSignatures++;
  const isRefusal = NOT_CARRIED_OUT.has(fault) || (fault === 'busyOnce' && !records.has(id));
  const arrived = record(id, !isRefusal);
  const genuine = (headers) => {
    const body = JSON.stringify({ id });
    return whole(200, body, { ...signatureOf(body), ...headers });
  };
  answer(socket, { id, genuine, arrived });
}

const server = createServer({ noDelay: true }, (socket) => {
  let held = Buffer.alloc(0);
  connections++;
  socket.once('close', () => connections--);
  socket
    .on('error', () => {})
    .on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (;;) {
        const end = held.indexOf(END_OF_HEAD);
        if (end < 0) return;
        const headers = held.latin1Slice(0, end);
        const from = end + END_OF_HEAD.length;
        const to = from + Number(/\r\ncontent-length: *(\d+)/i.exec(headers)?.[1] ?? 0);
        if (held.length < to) return;
        const [method, target] = headers.split(' ', 2);
        const body = held.subarray(from, to);
        held = held.subarray(to);
        respond(socket, { method, target, headers, body });
      }
    });
});

platform.on('post', 'v3/soak/rotated', ({ json }) => {
  record(json.id, true);
  return { id: json.id };
});
await platform.rotate('certificate');
setInterval(() => {
  current = keys[(keys.indexOf(current) + 1) % keys.length];
}, NEW_KEY);
let rotations = 1;
setInterval(async () => {
  await platform.rotate('certificate');
  rotations++;
}, NEW_CERTIFICATE);

/** What the soak asks for: the records of calls that have ended, which are then forgotten. */
const QUESTIONS = {
  records: (ids) =>
    ids.map((id) => {
      const found = records.get(id) ?? { arrived: 0, carriedOut: 0 };
      records.delete(id);
      return found;
    }),
  state: () => ({ badSignatures, rotations, connections, unasked: records.size }),
};
process.on('message', ({ question, argument }) => process.send(QUESTIONS[question](argument)));
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', () => {
  const pem = { type: 'pkcs8', format: 'pem' };
  process.send({
    port: server.address().port,
    platformUrl: platform.url,
    merchant: { mchid, serial, secret, apiv3Key, privateKey: privateKey.export(pem) },
    certs: Object.fromEntries(keys.map(({ id, publicKey }) => [id, publicKey.export({ type: 'spki', format: 'pem' })])),
    /** To sign notifications with. */
    signer: { id: keys[0].id, key: keys[0].privateKey.export(pem) },
    digest: createHash('sha1').update(bill).digest('hex'),
  });
});
