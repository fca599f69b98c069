/**
 * The calls of the soak: of every kind, with every fault, some of them aborted. Each is judged by its outcome at once, and
 * by what the server has seen of it later.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Agent } from 'undici';
import ours from '../../dist/index.js';
import { ENDLESS, FILES, V2, V3 } from './faults.mjs';

const { Builder, Media, parseBill, WechatPayError } = ours;
const VERBS = ['get', 'post', 'put', 'patch', 'delete'];
/** How often a client may send a request: the retrying one three times, the one that fails over twice. */
const MOST_ATTEMPTS = 3;
/** For faults that never end, in milliseconds; everything else has the time that a busy machine may need. */
const SHORT = 400;
const LONG = 10_000;

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const chance = (part) => Math.random() < part;

/** A port at which nobody listens. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * @param setup what the server has sent: its port, its keys, the merchant's
 * @param signal one that many calls share and that is never aborted
 */
export async function createCalls({ port, platformUrl, merchant, certs, digest }, signal) {
  const agents = Array.from({ length: 4 }, () => new Agent({ connections: 50, keepAliveTimeout: 500 }));
  const [agent, racingAgent, rotatingAgent, nobodyAgent] = agents;
  const baseUrl = `http://127.0.0.1:${port}/`;
  const { apiv3Key, ...keys } = merchant;
  const config = { ...keys, certs, baseUrl, dispatcher: agent, timeout: LONG };
  const plain = Builder.factory(config);
  const retrying = Builder.factory({ ...config, retry: { attempts: MOST_ATTEMPTS, delay: 5, maxDelay: 20 } });
  const failing = Builder.factory({ ...config, failover: `http://localhost:${port}/` });
  const racing = Builder.factory({ ...config, dispatcher: racingAgent });
  const rotating = Builder.factory({
    ...keys,
    apiv3Key,
    baseUrl: platformUrl,
    dispatcher: rotatingAgent,
    timeout: LONG,
  });
  const nobody = Builder.factory({
    ...config,
    baseUrl: `http://127.0.0.1:${await freePort()}/`,
    dispatcher: nobodyAgent,
  });
  const media = await Media.from(Buffer.alloc(50_000, 1), { filename: 'soak.png' });
  const own = { racing, nobody };
  let count = 0;

  const call = (kind, fault, expected, start) => ({ kind, fault, expected, start, id: `C${++count}`, numbered: true });

  const v3 = () => {
    const fault = chance(0.6) ? pick(['well', 'slow', 'hints', 'big']) : pick(Object.keys(V3));
    const client = own[fault] ?? pick([plain, retrying, failing]);
    const verb = pick(VERBS);
    const numbered = verb === 'get' || chance(0.5);
    const send = ({ id, options }) => {
      const json = verb === 'get' ? {} : { json: numbered ? { out_trade_no: id, note: '备注' } : { note: 'x' } };
      return client.chain(`v3/soak/${fault}/{id}`)[verb]({ id, ...json, ...options });
    };
    return {
      ...call(`v3 ${verb === 'get' ? 'get' : 'change'}`, fault, V3[fault], send),
      numbered,
      echoes: fault !== 'empty',
    };
  };
  const v2 = () => {
    const fault = chance(0.5) ? 'well' : pick(Object.keys(V2));
    const client = pick([plain, retrying, failing]);
    const numbered = chance(0.5);
    const send = ({ id, options }) => {
      const xml = { mch_id: merchant.mchid, note: '备注', ...(numbered && { out_trade_no: id }) };
      return client.chain(`v2/soak/${fault}/{id}`).post({ id, xml, ...options });
    };
    return { ...call('v2', fault, V2[fault], send), numbered, echoes: true };
  };
  const upload = () => {
    const fault = chance(0.6) ? 'well' : pick(Object.keys(V3));
    const client = own[fault] ?? pick([plain, retrying, failing]);
    const send = ({ id, options }) => client.chain(`v3/soak/${fault}/{id}`).post({ id, body: media, ...options });
    return { ...call('upload', fault, V3[fault], send), numbered: false, echoes: fault !== 'empty' };
  };
  const file = () => {
    const fault = chance(0.5) ? 'file' : pick(Object.keys(FILES));
    const client = pick([plain, retrying]);
    const reading = pick(Object.keys(READINGS));
    const send = ({ id, options }) => {
      const expected = { hash_type: 'SHA1', hash_value: digest, ...(fault === 'zipped' && { tar_type: 'GZIP' }) };
      return client.chain(`v3/soak/${fault}/{id}`).get({ id, download: true, digest: expected, ...options });
    };
    // Who stops before the end need not meet what is wrong behind.
    const expected = reading === 'whole' ? FILES[fault] : [...FILES[fault], 'resolved'];
    return { ...call(`file, ${reading}`, fault, expected, send), read: READINGS[reading] };
  };
  const rotated = () => {
    const send = ({ id, options }) =>
      rotating.chain('v3/soak/rotated').post({ json: { id, out_trade_no: id }, ...options });
    return { ...call('new certificates', 'well', V3.well, send), echoes: true };
  };
  const refused = () => {
    const send = ({ id, options }) =>
      pick([
        () => plain.chain(`v3/soak/well/${id}`).post({ out_trade_no: id, ...options }),
        () => plain.chain('v3/soak/well/{id}').get(options),
        () => plain.chain(`v3/soak/well/${id}`).get({ ...options, download: 'true' }),
        () => plain.chain(`v3/soak/well/${id}`).post({ ...options, json: { total: Number.NaN } }),
        () => plain.chain(`v3/soak/well/${id}`).get({ ...options, baseUrl: 'http://127.0.0.1:1/' }),
        () => plain.chain(`v2/soak/well/${id}`).post({ ...options, xml: { mch_id: 'another' } }),
        () => plain.chain(`v2/soak/well/${id}`).post({ ...options, xml: { mch_id: merchant.mchid }, security: 'true' }),
      ])();
    return call('misused', 'well', ['InvalidArgumentError', 'ConfigurationError'], send);
  };

  const KINDS = [v3, v3, v3, v3, v3, v2, v2, v2, upload, file, file, rotated, refused];

  /** Makes a call, and gives what became of it. */
  async function make() {
    const { start, ...made } = pick(KINDS)();
    const { id, fault, expected, read = READINGS.whole, echoes = false } = made;
    const abort = aborting(fault);
    const timeout = ENDLESS.has(fault) ? { total: SHORT, body: SHORT } : undefined;
    const options = { signal: abort?.signal ?? signal, ...(timeout && { timeout }) };
    const began = performance.now();
    const issues = [];
    let outcome = 'resolved';
    let error;
    try {
      const text = await read(start({ id, options }));
      if (echoes && !text.includes(id)) issues.push('the response of another call was handed out');
    } catch (thrown) {
      error = thrown;
      outcome = thrown instanceof WechatPayError ? thrown.name : `${thrown?.name ?? thrown}`;
    }
    const isAborted = error !== undefined && error === abort?.signal.reason;
    if (isAborted) outcome = 'aborted';
    abort?.clear();
    if (abort?.isEarly && !isAborted && made.kind !== 'misused') issues.push(`aborted beforehand, but ${outcome}`);
    if (!isAborted && !expected.includes(outcome)) issues.push(`${outcome}, not ${expected.join(' or ')}`);
    return { ...made, outcome, error, issues, isEarly: abort?.isEarly ?? false, took: performance.now() - began };
  }

  /** Some calls are aborted: beforehand, or at any time. */
  function aborting() {
    if (chance(0.88)) return undefined;
    const controller = new AbortController();
    const isEarly = chance(0.2);
    if (isEarly) controller.abort();
    const timer = isEarly ? undefined : setTimeout(() => controller.abort(), 60 * Math.random());
    return { signal: controller.signal, isEarly, clear: () => clearTimeout(timer) };
  }

  return { make, close: () => Promise.all(agents.map((one) => one.close())) };
}

/** Ways to take the body of a response; not all of them to its end. */
const READINGS = {
  whole: (promise) => (chance(0.5) ? promise.text() : promise.then((response) => response.text())),
  rows: (promise) =>
    promise.then(async ({ body }) => {
      for await (const _row of parseBill(body)) break;
    }),
  cancelled: (promise) => promise.then(({ body }) => body.cancel()),
  'cancelled later': (promise) =>
    promise.then(async ({ body }) => {
      const reader = body.getReader();
      await reader.read();
      await reader.cancel();
    }),
};

/**
 * What the record of the server has against the outcome of a call.
 * @returns the issues, none where all is well
 */
export function against({ fault, numbered, outcome, error, isEarly }, { arrived, carriedOut }) {
  const message = String(error?.message ?? '');
  const saysNothing =
    ['InvalidArgumentError', 'ConfigurationError'].includes(outcome) || /nothing was sent/i.test(message);
  const heard = ['resolved', 'ApiError', 'SignatureError', 'BodyError'].includes(outcome);
  const rules = [
    [saysNothing && arrived > 0, `${outcome} says that nothing was sent, but it arrived`],
    [isEarly && arrived > 0, 'aborted beforehand, but it arrived'],
    [fault === 'nobody' && arrived > 0, 'arrived where nobody listens'],
    [heard && arrived === 0, `${outcome}, but it never arrived`],
    [!numbered && arrived > 1, `without a number of its own, but it arrived ${arrived} times`],
    [!numbered && carriedOut > 1, 'carried out twice'],
    [arrived > MOST_ATTEMPTS, `arrived ${arrived} times`],
    [outcome === 'resolved' && carriedOut === 0, 'resolved, but never carried out'],
    [
      error?.attempts !== undefined && arrived > error.attempts,
      `arrived ${arrived} times of ${error?.attempts} attempts`,
    ],
  ];
  return rules.flatMap(([isBroken, issue]) => (isBroken ? [issue] : []));
}
