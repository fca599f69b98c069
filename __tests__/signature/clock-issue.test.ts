import { clockIssue } from '../../lib/signature/platform-signature';

const NOW = 1_700_000_000;
const REST = '; 300 s are allowed. Check the local clock, and that the message is not an old one.';

test.each([0, 1, -1, 300, -300])('a difference of %d s is allowed', (difference) => {
  expect(clockIssue(String(NOW + difference), NOW)).toBeUndefined();
});

test.each([301, 400, NOW])('says that the local clock is %d s ahead', (ahead) => {
  const time = NOW - ahead;
  expect(clockIssue(String(time), NOW)).toBe(
    `The local clock is ${ahead} s ahead of "Wechatpay-Timestamp" (${time})${REST}`,
  );
});

test.each([301, 400, 998_299_999_999])('says that the header is %d s ahead', (ahead) => {
  const time = NOW + ahead;
  expect(clockIssue(String(time), NOW)).toBe(
    `"Wechatpay-Timestamp" (${time}) is ${ahead} s ahead of the local clock${REST}`,
  );
});

test.each(['now', '', '-1', '1e9', '1700000000.5', 'NaN', '９', '9'.repeat(400)])('%j is not a number', (time) => {
  expect(clockIssue(time, NOW)).toBe(
    `"Wechatpay-Timestamp" is not a number of seconds since 1970: ${JSON.stringify(time)}.`,
  );
});
