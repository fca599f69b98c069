import { openJournal } from '../../lib/sandbox/journal';

/** Holds a journal until it is killed. */
const { store } = openJournal(process.argv[2] ?? '');
store.table('orders').put('held', {});
store.commit();
process.send?.('open');
setInterval(() => {}, 1000);
