import fc from 'fast-check';
import type { NotificationOptions, V2Notification } from '../../lib/notification';
import * as Notifications from '../../lib/notification';
import { timeOf } from '../../lib/notification/replay';
import type { NotificationStore } from '../../lib/notification/store';
import { SharedRecords } from './shared-store';
import { apiv3Key, PAYMENT, refund, type Sent, seal, secret, v2, xml } from './support';

afterEach(() => void jest.restoreAllMocks());

const HOUR = 3600;
/** When the payment was made, in seconds since 1970, and as WeChat Pay writes it. */
const PAID = Date.parse('2014-09-03T13:15:40+08:00') / 1000;
const TIME_END = '20140903131540';
const payment = (members: Record<string, string> = {}) => v2({ ...PAYMENT, time_end: TIME_END, ...members });

/** It is so many seconds after the payment. */
function itIs(seconds: number): void {
  jest.spyOn(Date, 'now').mockReturnValue((PAID + seconds) * 1000);
}

const parse = (sent: Sent, config: NotificationOptions = {}): Promise<unknown> =>
  Notifications.of({ secret, apiv3Key, ...config })
    .parse<V2Notification>(sent)
    .then(
      () => ACCEPTED,
      (error) => error,
    );

const ACCEPTED = { code: 'accepted' };
const REPLAY = { name: 'SignatureError', code: 'ERR_SIGNATURE_CLOCK', message: expect.stringContaining('replay') };

describe('a payment of v2 by its age', () => {
  test.each<[string, number, object]>([
    ['at once', 1, ACCEPTED],
    ["at WeChat Pay's last repeat", 24 * HOUR + 240, ACCEPTED],
    ['after 48 hours', 48 * HOUR, ACCEPTED],
    ['a second later', 48 * HOUR + 1, REPLAY],
    ['years later', 100_000 * HOUR, REPLAY],
    ['before it was made, by a clock that is late', -HOUR, ACCEPTED],
    ['years before', -100_000 * HOUR, ACCEPTED],
  ])('%s', async (_, seconds, outcome) => {
    itIs(seconds);
    expect(await parse(payment())).toMatchObject(outcome);
  });

  test.each<[NotificationOptions, number, object]>([
    [{ maxAge: HOUR }, HOUR, ACCEPTED],
    [{ maxAge: HOUR }, HOUR + 1, REPLAY],
    [{ maxAge: 100 * HOUR }, 99 * HOUR, ACCEPTED],
    [{ maxAge: 100 * HOUR }, 101 * HOUR, REPLAY],
    [{ maxAge: false }, 100_000 * HOUR, ACCEPTED],
  ])('with %j, %d s later', async (config, seconds, outcome) => {
    itIs(seconds);
    expect(await parse(payment(), config)).toMatchObject(outcome);
  });

  test('a wrong sign is told first: nobody learns from us what the clock says', async () => {
    itIs(49 * HOUR);
    const { body } = payment();
    expect(await parse({ headers: {}, body: body.replace('1004', '1005') })).toMatchObject({
      code: 'ERR_SIGNATURE_WRONG',
    });
  });
});

test.each<[string, Record<string, string>]>([
  ['without the field', { time_end: '' }],
  ['that is no time', { time_end: 'yesterday' }],
  ['in another form', { time_end: '2014-09-03 13:15:40' }],
  ['with a digit too many', { time_end: `${TIME_END}0` }],
  ['of orders that are no JSON', { time_end: '', sub_order_list: '{' }],
  ['of orders that are no list', { time_end: '', sub_order_list: '{"order_list":{"time_end":"x"}}' }],
  ['of orders that are nothing', { time_end: '', sub_order_list: '[null]' }],
  ['of no orders', { time_end: '', sub_order_list: '{"order_list":[]}' }],
  ['of orders without', { time_end: '', sub_order_list: '{"order_list":[null,1,{"time_end":5}]}' }],
])('no payment is lost by a time %s', async (_, members) => {
  expect(await parse(payment(members))).toMatchObject(ACCEPTED);
});

test('of a combined payment the latest order counts', async () => {
  const order_list = [{ time_end: '20140901000000' }, { time_end: TIME_END }, { time_end: '20140902000000' }];
  const { mch_id: combine_mch_id = '', nonce_str = '' } = PAYMENT;
  const sub_order_list = JSON.stringify({ order_num: 3, order_list });
  const combined = v2({ combine_mch_id, nonce_str, return_code: 'SUCCESS', sub_order_list });
  itIs(48 * HOUR);
  expect(await parse(combined)).toMatchObject(ACCEPTED);
  itIs(48 * HOUR + 1);
  expect(await parse(combined)).toMatchObject(REPLAY);
});

test('of an encrypted kind the time counts at which it was made', async () => {
  const { mch_id = '' } = PAYMENT;
  const event = v2(
    {
      mch_id,
      event_id: 'EV-2018022511223320873',
      event_create_time: TIME_END,
      event_type: 'CHECK.SUCCESS',
      event_nonce: 'abcdef012345',
      event_associated_data: 'payscore',
      event_ciphertext: seal(xml({ state: 'USER_ACCEPTED' }), 'abcdef012345', 'payscore'),
    },
    'sha256',
  );
  itIs(48 * HOUR);
  expect(await parse(event)).toMatchObject(ACCEPTED);
  itIs(48 * HOUR + 1);
  expect(await parse(event)).toMatchObject(REPLAY);
});

test('a refund has no time that is signed, and passes', async () => {
  expect(await parse(refund())).toMatchObject(ACCEPTED);
});

test('time_end is Beijing time, whatever the zone of the machine', () => {
  // Before 1992 there was daylight saving time in Beijing, and no WeChat Pay.
  const times = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(times, (date) => {
      const seconds = Math.floor(date.getTime() / 1000);
      const parts = new Intl.DateTimeFormat('en-GB', {
        ...{ timeZone: 'Asia/Shanghai', hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
        ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
      }).formatToParts(date);
      const of = (wanted: string) => parts.find(({ type }) => type === wanted)?.value;
      const time_end = ['year', 'month', 'day', 'hour', 'minute', 'second'].map(of).join('');
      expect(timeOf({ time_end })).toBe(seconds);
    }),
  );
});

describe('a handler', () => {
  /** One that starts anew each time, as after a restart: it remembers nothing but what the store does. */
  function restarted(run: () => void, config: NotificationOptions) {
    return async ({ headers, body }: Sent) => {
      const { webHandler } = Notifications.of({ secret, onError: () => {}, ...config });
      return (await webHandler(run)(new Request('http://localhost/', { method: 'POST', headers, body }))).status;
    };
  }

  test.each([undefined, HOUR, 48 * HOUR, 30 * 24 * HOUR])(
    'never processes a copy anew: what it accepts, its store still knows (maxAge %p)',
    async (maxAge) => {
      const store: NotificationStore = new SharedRecords(() => Date.now() / 1000);
      const run = jest.fn();
      const send = restarted(run, maxAge === undefined ? { store } : { store, maxAge });
      // It came late: after a day without the machine.
      itIs(Math.min(24 * HOUR, maxAge ?? 24 * HOUR));
      expect(await send(payment())).toBe(200);
      const statuses = new Set<number>();
      for (let hours = 25; hours < 31 * 24 + 30; hours++) {
        itIs(hours * HOUR);
        statuses.add(await send(payment()));
      }
      expect(run).toHaveBeenCalledTimes(1);
      expect([...statuses]).toEqual(maxAge === HOUR ? [401] : [200, 401]);
    },
  );

  test('that restarts without a store refuses a copy when it is too old', async () => {
    const run = jest.fn();
    const send = restarted(run, {});
    itIs(HOUR);
    expect(await send(payment())).toBe(200);
    itIs(49 * HOUR);
    expect(await send(payment())).toBe(401);
    expect(run).toHaveBeenCalledTimes(1);
  });
});

test.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '48h', true])('a maxAge of %p is refused', (maxAge) => {
  expect(() => Notifications.of({ secret, maxAge: maxAge as number })).toThrow(
    '"maxAge" must be an integer number of seconds',
  );
});
