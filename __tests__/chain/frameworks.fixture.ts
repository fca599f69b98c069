/** Gives a client to frameworks that jest cannot load, and prints what became of it, as one line of JSON. */
import 'reflect-metadata';
import { Builder, type Chain } from '../../lib';
import { Sandbox } from '../../lib/sandbox';
import { useCoupon } from './use-coupon';

const WXPAY = Symbol('wxpay');

const NEST_HOOKS = [
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
];

/** The hooks that Nest calls on its providers, and what the client gave that each of these got. */
async function nest(instance: Chain): Promise<string[]> {
  const { Inject, Injectable, Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  class Payments {
    readonly wxpay: Chain;
    constructor(wxpay: Chain) {
      this.wxpay = wxpay;
    }
  }
  Injectable()(Payments);
  Inject(WXPAY)(Payments, undefined, 0);
  const called: string[] = [];
  const note = (hook: string) => [hook, () => called.push(hook)];
  const witness = Object.fromEntries(NEST_HOOKS.map(note));
  class PaymentsModule {}
  Module({
    providers: [
      { provide: WXPAY, useValue: instance },
      { provide: 'made', useFactory: () => instance },
      { provide: 'made later', useFactory: async () => instance },
      { provide: 'alias', useExisting: WXPAY },
      { provide: 'witness', useValue: witness },
      Payments,
    ],
  })(PaymentsModule);
  // Nest logs the errors of some hooks, and goes on.
  const complain = (message: unknown) => called.push(`complaint: ${message}`);
  const logger = { log: () => {}, warn: complain, error: complain };
  const app = await NestFactory.createApplicationContext(PaymentsModule, { logger, abortOnError: false });
  const clients = ['made', 'made later', 'alias'].map((name) => app.get<Chain>(name));
  const used = await Promise.all([app.get(Payments).wxpay, ...clients].map(useCoupon));
  await app.close();
  return [...called, ...used];
}

async function inversify(instance: Chain): Promise<string[]> {
  const { Container } = await import('inversify');
  const container = new Container();
  container.bind<Chain>(WXPAY).toConstantValue(instance);
  container
    .bind<Chain>('made')
    .toDynamicValue(() => instance)
    .inSingletonScope();
  container.bind<{ wxpay: Chain }>('service').toResolvedValue((wxpay: Chain) => ({ wxpay }), [WXPAY]);
  const clients = [
    container.get<Chain>(WXPAY),
    await container.getAsync<Chain>('made'),
    container.get<{ wxpay: Chain }>('service').wxpay,
  ];
  const used = await Promise.all(clients.map(useCoupon));
  await container.unbindAll();
  return used;
}

/** Ends in a matcher that fails, whose message shows a node. */
async function vitest(instance: Chain): Promise<string> {
  const { JestAsymmetricMatchers, JestChaiExpect, JestExtend } = await import('@vitest/expect');
  const { fn } = await import('@vitest/spy');
  const chai = await import('chai');
  for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
  // The types of these matchers come with vitest itself.
  const expect = chai.expect as unknown as jest.Expect;
  const mock = fn((client: unknown) => client);
  mock(instance);
  mock({ instance });
  expect(mock).toHaveBeenCalledWith(instance);
  expect(mock).toHaveBeenCalledWith({ instance });
  expect(mock).toHaveReturnedWith(instance);
  expect({ instance }).toStrictEqual({ instance });
  expect({ instance }).not.toEqual({ instance: instance.v3 });
  mock(instance.v3.pay);
  try {
    expect(mock).toHaveBeenCalledWith(1);
  } catch (error) {
    return String(error);
  }
  return 'the matcher did not fail';
}

/** How the devtools show a client and a node among the props of a component. */
async function vueDevtools(instance: Chain): Promise<string> {
  const { stringify } = await import('@vue/devtools-kit');
  return String(stringify({ wxpay: instance, node: instance.v3.pay }));
}

interface React {
  createElement(type: unknown, props: object | null, ...children: unknown[]): unknown;
  createContext(value: unknown): unknown;
  useContext(context: unknown): unknown;
  useState(initial: unknown): unknown;
}

interface Renderer {
  act(callback: () => Promise<void>): Promise<void>;
  create(element: unknown): unknown;
}

/** How the devtools send a value that they do not look into. */
interface Inspected {
  type: string;
}

interface InspectedElement {
  type: string;
  value?: {
    props: { data: { wxpay: Inspected; in: { wxpay: Inspected } } };
    hooks: { data: { name: string; value: { wxpay: Inspected } }[] };
  };
}

interface Devtools {
  initialize(): void;
  connectWithCustomMessagingProtocol(protocol: {
    onSubscribe(listener: (message: { event: string; payload: unknown }) => void): void;
    onUnsubscribe(): void;
    onMessage(event: string, payload: unknown): void;
  }): void;
}

/** The types of what the devtools show of a component that has been given a client. */
async function react(instance: Chain): Promise<string> {
  Object.assign(globalThis, { window: globalThis, self: globalThis, IS_REACT_ACT_ENVIRONMENT: true });
  console.error = () => {}; // React tells that its test renderer is deprecated.
  const devtools = require('react-devtools-core') as Devtools;
  devtools.initialize();
  const { createContext, createElement, useContext, useState } = require('react') as React;
  const renderer = require('react-test-renderer') as Renderer;

  const listeners: ((message: { event: string; payload: unknown }) => void)[] = [];
  const inspected = new Promise<InspectedElement>((resolve) => {
    devtools.connectWithCustomMessagingProtocol({
      onSubscribe: (listener) => listeners.push(listener),
      onUnsubscribe: () => {},
      onMessage: (event, payload) => {
        if (event === 'inspectedElement') resolve(payload as InspectedElement);
      },
    });
  });

  const Context = createContext(instance);
  const Pay = ({ wxpay }: { wxpay: Chain }) => {
    useState({ wxpay });
    return createElement('p', null, String(useContext(Context) === wxpay));
  };
  await renderer.act(async () => {
    renderer.create(createElement(Pay, { wxpay: instance, in: { wxpay: instance.v3.pay } }));
  });
  const payload = { id: 2, rendererID: 1, forceFullData: true, path: null, requestID: 1 };
  for (const listener of listeners) listener({ event: 'inspectElement', payload });
  const { value } = await inspected;
  const state = value?.hooks.data.find(({ name }) => name === 'State')?.value.wxpay;
  return [value?.props.data.wxpay, value?.props.data.in.wxpay, state].map((shown) => shown?.type).join();
}

async function main(): Promise<void> {
  const sandbox = await Sandbox.start();
  const instance = Builder.factory(sandbox.config);
  const shown: Record<string, unknown> = {};
  for (const use of [nest, inversify, vitest, vueDevtools, react]) {
    shown[use.name] = await use(instance).catch((error: unknown) => String(error));
  }
  console.log(JSON.stringify(shown));
  process.exit();
}

void main();
