import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { asFunction, asValue, createContainer } from 'awilix';
import fastify, { type FastifyInstance } from 'fastify';
import pino from 'pino';
import {
  createSSRApp,
  defineComponent,
  h,
  inject,
  isReactive,
  isRef,
  markRaw,
  nextTick,
  reactive,
  readonly,
  ref,
  shallowRef,
  toRaw,
  watch,
} from 'vue';
import { renderToString } from 'vue/server-renderer';
import { Builder, type Chain } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import winston from 'winston';
import { useCoupon } from './use-coupon';

declare module 'fastify' {
  interface FastifyInstance {
    wxpay: Chain;
  }
  interface FastifyRequest {
    wxpay: Chain;
  }
}

let sandbox: Sandbox;
let instance: Chain;

beforeAll(async () => {
  sandbox = await Sandbox.start();
  instance = Builder.factory(sandbox.config);
});
afterAll(() => sandbox.close());

/** What a framework hands out is the client that it was given, and works. */
async function expectWorks(given: Chain): Promise<void> {
  expect(given).toBe(instance);
  expect(await useCoupon(given)).toBe('100088');
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return response.text();
}

describe('Fastify', () => {
  let app: FastifyInstance;

  beforeEach(() => {
    app = fastify();
  });
  afterEach(() => app.close());

  test('decorates the server, its plugins and its requests', async () => {
    app.decorate('wxpay', instance);
    app.decorateRequest('wxpay', { getter: () => instance });
    app.register(async (plugin) => {
      plugin.get('/server', () => useCoupon(plugin.wxpay));
      plugin.get('/request', (request) => useCoupon(request.wxpay));
    });
    const url = await app.listen();
    await expectWorks(app.wxpay);
    expect(await textOf(`${url}/server`)).toBe('100088');
    expect(await textOf(`${url}/request`)).toBe('100088');
  });

  test('takes a client as the initial value of a request', async () => {
    app.decorateRequest('wxpay', instance);
    app.get('/', (request) => useCoupon(request.wxpay));
    expect(await textOf(await app.listen())).toBe('100088');
  });
});

test.each(['PROXY', 'CLASSIC'] as const)('Awilix, in its %s mode', async (injectionMode) => {
  const container = createContainer<{ wxpay: Chain; made: Chain }>({ injectionMode, strict: true });
  container.register({ wxpay: asValue(instance), made: asFunction(() => instance).singleton() });
  await expectWorks(container.cradle.wxpay);
  await expectWorks(container.resolve('made'));
  await container.dispose();
});

describe('Vue', () => {
  test('reactive state', async () => {
    const state = reactive({ wxpay: instance as unknown, list: [instance as unknown] });
    state.wxpay = instance.v3;
    state.wxpay = instance;
    expect(state.wxpay).toBe(instance);
    expect(state.list[0]).toBe(instance);
    expect(state.list.indexOf(instance)).toBe(0);
    expect(readonly(state).wxpay).toBe(instance);
    await expectWorks(state.wxpay as Chain);
  });

  test('refs and marks', () => {
    expect(ref<unknown>(instance).value).toBe(instance);
    expect(shallowRef<unknown>(instance).value).toBe(instance);
    expect(toRaw<unknown>(instance)).toBe(instance);
    expect(markRaw<object>(instance)).toBe(instance);
    expect(isRef(instance)).toBe(false);
    expect(isReactive(instance)).toBe(false);
  });

  test('deep watchers', async () => {
    const state = reactive({ wxpay: instance as unknown, count: 0 });
    let seen = 0;
    watch(state, () => seen++, { deep: true });
    state.count++;
    await nextTick();
    expect(seen).toBe(1);
  });

  test('a prop, a value of setup() and one that is injected', async () => {
    const Child = defineComponent({
      props: ['wxpay'],
      setup: (props) => ({ given: props.wxpay, injected: inject('wxpay') }),
      render() {
        return [this.wxpay === instance, this.given === instance, this.injected === instance].map(String).join();
      },
    });
    const app = createSSRApp({ data: () => ({ wxpay: instance }), render: () => h(Child, { wxpay: instance }) });
    app.provide('wxpay', instance);
    expect(await renderToString(app)).toBe('true,true,true');
  });
});

/** Collects what is written. */
function sink() {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, stream };
}

describe('structured logs', () => {
  test('pino', () => {
    const { lines, stream } = sink();
    const logger = pino({ base: null, timestamp: false, serializers: { err: pino.stdSerializers.err } }, stream);
    logger.info({ wxpay: instance, in: { wxpay: instance } }, 'field %s', instance.v3.pay);
    logger.error({ err: instance }, 'error');
    logger.child({ wxpay: instance.v3.pay }).info('child');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 30, in: { wxpay: '/' }, msg: 'field v3/pay' },
      expect.objectContaining({ level: 50, msg: 'error' }),
      { level: 30, wxpay: 'v3/pay', msg: 'child' },
    ]);
  });

  test.each([
    ['json', winston.format.json(), ['{"level":"info","message":"field"}']],
    ['simple', winston.format.simple(), ['info: field']],
    ['prettyPrint', winston.format.prettyPrint(), ["{ wxpay: v3/pay, level: 'info', message: 'field' }"]],
    [
      'printf, after splat, errors and metadata',
      winston.format.combine(
        winston.format.splat(),
        winston.format.errors({ stack: true }),
        winston.format.metadata(),
        winston.format.printf(({ message, metadata }) => `${message} ${JSON.stringify(metadata)}`),
      ),
      ['field {"wxpay":"v3/pay"}'],
    ],
  ])('winston, %s', async (_name, format, expected) => {
    const { lines, stream } = sink();
    const logger = winston.createLogger({ format, transports: [new winston.transports.Stream({ stream })] });
    logger.info('field', { wxpay: instance.v3.pay });
    logger.child({ wxpay: instance }).info('child');
    const finished = new Promise((resolve) => stream.once('finish', resolve));
    logger.end();
    logger.once('finish', () => stream.end());
    await finished;
    expect(lines[0]?.trim()).toBe(expected[0]);
    expect(lines).toHaveLength(2);
  });
});

describe('frameworks that are ES modules, or that change globals', () => {
  let shown: Record<string, unknown>;

  beforeAll(async () => {
    const program = join(__dirname, 'frameworks.fixture.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['-r', 'esbuild-register', program], {
      timeout: 20_000,
    });
    shown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  });

  test('Nest: a provider by value, by factory and under another name', () => {
    expect(shown.nest).toEqual([
      'onModuleInit',
      'onApplicationBootstrap',
      'onModuleDestroy',
      'beforeApplicationShutdown',
      'onApplicationShutdown',
      ...Array(4).fill('100088'),
    ]);
  });

  test.each([
    ['InversifyJS: by constant and by factory', 'inversify', ['100088', '100088', '100088']],
    ['vitest: a mock and strict matchers, whose messages show the path', 'vitest', expect.stringContaining('v3/pay')],
    ['Vue devtools: a prop', 'vueDevtools', expect.stringContaining('<pre>function')],
    ['React devtools: props and state', 'react', 'function,function,function'],
  ])('%s', (_name, key, expected) => {
    expect(shown[key]).toEqual(expected);
    expect(JSON.stringify(shown[key])).not.toContain('PRIVATE KEY');
  });
});
