// The sandbox against a bare server that verifies and signs by hand, and against itself with 100,000 orders.
// Run: npm run bench:sandbox
import {
  createPrivateKey,
  createPublicKey,
  createSign,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { start } from './children.mjs';
import { describeMachine } from './machine.mjs';

const ROUNDS = 9;
const CALLS = 1500;
const CONCURRENCY = 16;
const [FEW, MANY] = [100, 100_000];
const LIMITS = { throughput: 0.7, query: 1.2, megabytes: 300 };
const QUERY = (number) => `/v3/pay/transactions/out-trade-no/${number}?mchid=1900000109`;

const servers = {
  /** A bare server: it verifies and signs, and does no more. */
  async bare({ publicKey, privateKey }) {
    const [merchant, platform] = [createPublicKey(publicKey), createPrivateKey(privateKey)];
    const body = JSON.stringify({ out_trade_no: 'ORDER-0', trade_state: 'NOTPAY', mchid: '1900000109' });
    const server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const part = (name) => new RegExp(`${name}="([^"]*)"`).exec(request.headers.authorization)[1];
        const text = `${request.method}\n${request.url}\n${part('timestamp')}\n${part('nonce_str')}\n${Buffer.concat(chunks)}\n`;
        verify('sha256', Buffer.from(text), merchant, Buffer.from(part('signature'), 'base64'), (_, isRight) => {
          if (!isRight) return response.writeHead(401).end();
          const [time, nonce] = [Math.floor(Date.now() / 1000), randomBytes(16).toString('hex')];
          sign('sha256', Buffer.from(`${time}\n${nonce}\n${body}\n`), platform, (_, signature) => {
            response.writeHead(200, {
              'Content-Type': 'application/json; charset=utf-8',
              'Request-ID': `${randomBytes(16).toString('hex')}-0`,
              'Wechatpay-Nonce': nonce,
              'Wechatpay-Serial': 'PUB_KEY_ID_0',
              'Wechatpay-Signature': signature.toString('base64'),
              'Wechatpay-Timestamp': time,
            });
            response.end(body);
          });
        });
      });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${server.address().port}/`;
  },
  /** The sandbox, of a journal. */
  async sandbox({ privateKey, journal }) {
    const { Sandbox } = await import('../dist/sandbox/index.js');
    return (await Sandbox.start({ merchant: { privateKey }, ...(journal && { journal }) })).url;
  },
};

if (process.send) {
  process.on('disconnect', () => process.exit());
  process.on('message', async (message) => {
    if (message === 'memory') {
      global.gc();
      process.send(process.memoryUsage().rss / 2 ** 20);
    } else process.send(await servers[process.argv[2]](message));
  });
} else await main();

async function main() {
  console.log(describeMachine());
  const pem = { type: 'pkcs8', format: 'pem' };
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privateKey = pair.privateKey.export(pem);
  const setup = { privateKey, publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }) };
  const directory = mkdtempSync(join(tmpdir(), 'bench-sandbox-'));
  try {
    const { serial, template } = await placeOne(directory, setup, pair.privateKey);
    const client = createClient(pair.privateKey, serial);
    const [few, many] = [FEW, MANY].map((count) => withOrders(directory, template, count));
    const ratios = [];
    ratios.push(
      await compare(
        'signed calls per second, against a bare server',
        client,
        setup,
        [
          ['bare', {}, () => 'ORDER-0'],
          ['sandbox', { journal: few }, (i) => `ORDER-${i % FEW}`],
        ],
        (bare, sandbox) => [sandbox / bare, `at least ${LIMITS.throughput}`, sandbox / bare >= LIMITS.throughput],
      ),
      await compare(
        `time of a query among ${MANY} orders, against one among ${FEW}`,
        client,
        setup,
        [
          ['sandbox', { journal: few }, (i) => `ORDER-${i % FEW}`],
          ['sandbox', { journal: many }, (i) => `ORDER-${(i * 7919) % MANY}`],
        ],
        (one, other) => [one / other, `at most ${LIMITS.query}`, one / other <= LIMITS.query],
      ),
      await memory(setup, many),
    );
    process.exitCode = ratios.every(Boolean) ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Places one order, so that a journal can be made of as many as are wanted. */
async function placeOne(directory, { privateKey }, key) {
  const { Sandbox } = await import('../dist/sandbox/index.js');
  const journal = join(directory, 'journal');
  const sandbox = await Sandbox.start({ merchant: { privateKey }, journal });
  const before = readFileSync(journal, 'utf8').length;
  const { serial } = sandbox.config;
  const body = JSON.stringify({
    ...{ appid: 'wx8888888888888888', mchid: sandbox.config.mchid, description: 'Image', out_trade_no: 'ORDER-0' },
    ...{ notify_url: 'https://example.com/notify', amount: { total: 100, currency: 'CNY' } },
  });
  const response = await createClient(key, serial)(sandbox.url).call('POST', '/v3/pay/transactions/native', body);
  if (response.status !== 200) throw new Error(response.text);
  await sandbox.close();
  const text = readFileSync(journal, 'utf8');
  return { serial, template: { head: text.slice(0, before), entry: text.slice(before) } };
}

/** A journal with so many orders; each is the first one with another number. */
function withOrders(directory, { head, entry }, count) {
  const file = join(directory, `journal-${count}`);
  const prepaid = [...new Set(entry.match(/(?:wx\d{2}|pr=)\w{6,}/g))];
  const other = (i) =>
    prepaid.reduce(
      (text, id) => text.replaceAll(id, id.slice(0, -6) + String(i).padStart(6, '0')),
      entry.replaceAll('ORDER-0', `ORDER-${i}`),
    );
  writeFileSync(file, head + Array.from({ length: count }, (_, i) => other(i)).join(''));
  return file;
}

function createClient(key, serial) {
  const signed = (method, target, body = '') => {
    const [time, nonce] = [Math.floor(Date.now() / 1000), randomBytes(16).toString('hex')];
    const signature = createSign('RSA-SHA256')
      .update(`${method}\n${target}\n${time}\n${nonce}\n${body}\n`)
      .sign(key, 'base64');
    return {
      ...{ path: target, method, body: body || null },
      headers: {
        ...{ accept: 'application/json', 'user-agent': 'bench', 'content-type': 'application/json' },
        authorization: `WECHATPAY2-SHA256-RSA2048 mchid="1900000109",nonce_str="${nonce}",signature="${signature}",timestamp="${time}",serial_no="${serial}"`,
      },
    };
  };
  return (url) => {
    const pool = new Pool(url, { connections: CONCURRENCY });
    const send = async (options) => {
      const { statusCode, body } = await pool.request(options);
      return { status: statusCode, text: await body.text() };
    };
    return {
      call: (method, target, body) => send(signed(method, target, body)),
      /** Calls per second. What the client signs does not count. */
      async measure(numberOf, calls = CALLS) {
        const requests = Array.from({ length: calls }, (_, i) => signed('GET', QUERY(numberOf(i))));
        const begin = performance.now();
        const worker = async () => {
          for (let next = requests.pop(); next; next = requests.pop()) {
            const { status, text } = await send(next);
            if (status !== 200) throw new Error(`${status} ${text}`);
          }
        };
        await Promise.all(Array.from({ length: CONCURRENCY }, worker));
        return (calls / (performance.now() - begin)) * 1000;
      },
      close: () => pool.close(),
    };
  };
}

/** Two servers in turns; the ratio is the median of the rounds'. */
async function compare(title, client, setup, contenders, judge) {
  const running = [];
  for (const [name, more, numberOf] of contenders) {
    const server = start('sandbox.mjs', [name]);
    const url = await server.ask({ ...setup, ...more });
    const calls = client(url);
    await calls.measure(numberOf);
    running.push({ server, calls, numberOf });
  }
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const speeds = [];
    for (const { calls, numberOf } of round % 2 ? [...running].reverse() : running)
      speeds.push(await calls.measure(numberOf));
    rounds.push(round % 2 ? speeds.reverse() : speeds);
  }
  for (const { server, calls } of running) {
    await calls.close();
    await server.stop();
  }
  const judged = rounds.map(([one, other]) => judge(one, other)).sort(([one], [other]) => one - other);
  const [ratio, limit] = judged[judged.length >> 1];
  const [, , isMet] = judge(...medians(rounds, ratio, judge));
  const speeds = [0, 1].map((i) => Math.round(median(rounds.map((round) => round[i]))));
  console.log(
    `${title}: ${ratio.toFixed(2)} (${limit}: ${isMet ? 'yes' : 'NO'}); ${speeds.join(' and ')} calls per second`,
  );
  return isMet;
}

/** The round whose ratio is the median. */
function medians(rounds, ratio, judge) {
  return rounds.find(([one, other]) => judge(one, other)[0] === ratio);
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function memory(setup, journal) {
  const sizes = [];
  for (const more of [{}, { journal }]) {
    const server = start('sandbox.mjs', ['sandbox'], { execArgv: ['--expose-gc'] });
    await server.ask({ ...setup, ...more });
    sizes.push(await server.ask('memory'));
    await server.stop();
  }
  const isMet = sizes[1] < LIMITS.megabytes;
  console.log(
    `memory of the process with ${MANY} orders: ${sizes[1].toFixed(0)} MB (under ${LIMITS.megabytes}: ${isMet ? 'yes' : 'NO'}); without any ${sizes[0].toFixed(0)} MB`,
  );
  return isMet;
}
