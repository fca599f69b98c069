/** Prints what becomes of the dispatcher that is built into Node, as a dispatcher of a client. */
async function main() {
  await fetch('data:,');
  // Only now: the undici of the package would make itself the global one.
  const { Builder } = require('../../lib') as typeof import('wechatpay-undici');
  const dispatcher = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1'));
  let dispatched = 0;
  const { dispatch } = dispatcher;
  dispatcher.dispatch = (...call: unknown[]) => {
    dispatched += 1;
    return dispatch.apply(dispatcher, call);
  };
  const pass = (inner: (...call: unknown[]) => unknown) => (options: unknown, handler: unknown) =>
    inner(options, handler);
  const outcomes = [dispatcher, dispatcher.compose(pass)].map((one) => {
    try {
      Builder.factory({ mchid: '1', secret: 'k'.repeat(32), dispatcher: one });
      return 'accepted';
    } catch (error) {
      return String(error);
    }
  });
  console.log(JSON.stringify({ outcomes, dispatched }));
}

void main();
