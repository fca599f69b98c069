import type { V2Notification, V3Notification } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import * as Notifications from '../../lib/notification';
import type { NotificationStore } from '../../lib/notification/store';
import { WRITTEN } from '../../lib/signature/v2-readings';
import { compileEach, programOf } from '../openapi/compile';
import { type Synthesised, written } from '../openapi/synthesise';
import { serve } from './support';

const { program, source } = programOf(`
import type { NotificationsByType } from '../../lib/openapi/notification';
import type { NotificationContent } from '../../lib/sandbox';
import { Builder } from 'wechatpay-undici'; Builder;
export declare const contents: { [Name in keyof NotificationsByType]: NotificationContent<Name> };
`);

/** A notification, with contents built from the types of its fields: all members, and the required ones alone. */
interface Entry {
  name: string;
  full: Synthesised;
  minimal: Synthesised;
}

function readEntries(): Entry[] {
  const checker = program.getTypeChecker();
  const module = source && checker.getSymbolAtLocation(source);
  const contents = module && checker.getExportsOfModule(module).find(({ name }) => name === 'contents');
  if (!contents) throw new Error('The types cannot be read.');
  return checker.getPropertiesOfType(checker.getTypeOfSymbol(contents)).map((symbol) => {
    const write = (full: boolean) => written(checker.getTypeOfSymbol(symbol), { checker, full });
    return { name: symbol.name, full: write(true), minimal: write(false) };
  });
}

/** The value that a text of TypeScript stands for, each free text in it another one. */
function contentOf(text: string): Record<string, unknown> {
  let count = 0;
  const distinct = text.replace(/'x'/g, () => JSON.stringify(`茶 ${++count} <&>"]]>\n`));
  const value = new Function(`return (${distinct});`)();
  // Failures are refused, and have a test of their own.
  return 'return_code' in value ? { ...value, return_code: 'SUCCESS' } : value;
}

const entries = readEntries();
const isV2 = ({ name }: Entry) => name.startsWith('v2/');

test('the catalogue has them all', () => {
  expect([entries.length, entries.filter(isV2).length]).toEqual([112, 10]);
  // Of those whose members are all optional there is nothing to check but the values.
  expect(entries.filter(({ full }) => full.text.length < 20)).toEqual([]);
  expect(entries.filter(({ minimal }) => minimal.without.length > 0).length).toBeGreaterThan(70);
});

const SIMULATOR = `(null as unknown as import('../../lib/sandbox').Sandbox)`;
const notifying = ({ name }: Entry, text: string) =>
  `void ${SIMULATOR}.notify('${name}', ${text}, 'https://shop.example/');`;

test('the sandbox takes what has the types of the catalogue, and nothing else', () => {
  const right = entries.flatMap((entry) => [entry.full, entry.minimal].map(({ text }) => notifying(entry, text)));
  const wrong = entries.flatMap((entry) => entry.minimal.without.map(({ text }) => notifying(entry, text)));
  const found = compileEach([...right, ...wrong], program);
  expect(found.slice(0, right.length).filter((message) => message !== undefined)).toEqual([]);
  expect(wrong.filter((_, index) => found[right.length + index] === undefined)).toEqual([]);
}, 120_000);

describe('through HTTP', () => {
  let sandbox: Sandbox;
  const received: (V3Notification | V2Notification)[] = [];
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    sandbox = await Sandbox.start();
    const { certs, apiv3Key, secret } = sandbox.config;
    // Empty notifications of v2 are alike: none is taken for a repeat.
    const forgetful: NotificationStore = { reserve: () => 'reserved', complete: () => {}, release: () => {} };
    const notifications = Notifications.of({ certs, apiv3Key, secret, store: forgetful });
    server = await serve(
      notifications.nodeHandler((notification: V3Notification | V2Notification) => received.push(notification)),
    );
  });

  afterAll(() => Promise.all([server.close(), sandbox.close()]));

  /** What is received, as the type of the catalogue has it. */
  function typed({ name }: Entry, { protocol, envelope, ...notification }: V3Notification | V2Notification): string {
    const { resource } = notification;
    // Of v2, it is the fields, and what was encrypted beside them.
    const whole = protocol === 'v3' ? notification : { ...envelope, ...(resource !== envelope && { resource }) };
    return `const one: import('../../lib/openapi/notification').NotificationOf<'${name}'> = ${JSON.stringify(whole)}; void one;`;
  }

  /** No program writes a `&`, which might be where the next field begins. */
  function withoutBorders(content: Record<string, unknown>): Record<string, unknown> {
    const without = (name: string, value: unknown) =>
      typeof value === 'string' && WRITTEN.has(name) ? value.replaceAll('&', '+') : value;
    return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, without(name, value)]));
  }

  test('each comes out with the values that went in, and has its type', async () => {
    const statements: string[] = [];
    for (const entry of entries) {
      for (const text of [entry.full.text, entry.minimal.text]) {
        const content = isV2(entry) ? withoutBorders(contentOf(text)) : contentOf(text);
        const { delivered, attempts } = await sandbox.notify(entry.name, content, server.url);
        expect([entry.name, delivered, attempts.length]).toEqual([entry.name, true, 1]);
        const notification = received.pop() as V3Notification | V2Notification;
        const resource = JSON.parse(JSON.stringify(notification.resource));
        expect(notification.protocol).toBe(isV2(entry) ? 'v2' : 'v3');
        if (!isV2(entry)) expect([notification.event_type, resource]).toEqual([entry.name, content]);
        else
          expect(resource).toEqual(
            notification.resource === notification.envelope ? expect.objectContaining(content) : content,
          );
        statements.push(`{ ${typed(entry, notification)} }`);
      }
    }
    const found = compileEach(statements, program).flatMap((message, index) =>
      message === undefined ? [] : [`${statements[index]}\n${message}`],
    );
    expect(statements).toHaveLength(224);
    expect(found).toEqual([]);
  }, 120_000);

  test('a handler that looks at event_type has the type of the content', () => {
    const names = entries.filter((entry) => !isV2(entry)).map(({ name }) => name);
    const narrowed = (name: string, other: string) =>
      `(one: import('wechatpay-undici').KnownNotification) => { if (one.event_type === '${name}') { ` +
      `const content: import('../../lib/openapi/notification').NotificationOf<'${other}'>['resource'] = one.resource; void content; } };`;
    expect(
      compileEach(
        names.map((name) => `void (${narrowed(name, name).slice(0, -1)});`),
        program,
      ),
    ).toEqual(names.map(() => undefined));
    const [wrong] = compileEach(
      [`void (${narrowed('MCHTRANSFER.BILL.FINISHED', 'COMPLAINT.CREATE').slice(0, -1)});`],
      program,
    );
    expect(wrong).toContain("'ComplaintCreateResource'");
  }, 120_000);
});
