import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '..');
const files = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'));

/** What each example prints when all goes well; any text will do for one that is not listed. */
const OUTPUT: Readonly<Record<string, RegExp>> = {
  'certificates.ts':
    /^first: 200 signed by (5\w{39})\nfrom the cache: 200 signed by \1\nafter a change: 200 signed by (?!\1)5\w{39}\ndownloads: 2\nvalid: 5.*\nvalid: 5.*$/m,
  'coupon-use.ts': /^bracket index, promise: {2}\d{4}-\d\d-\d\dT/m,
  'crypto-tools.ts':
    /^Rsa\.verify: true\nRsa\.decrypt: 张三\n[\s\S]*^AesEcb\.decrypt: SUCCESS\n[\s\S]*^Hash\.equals: true$/m,
  'debug.ts': /phase: 'response',[\s\S]*status: 200,[\s\S]*error: 'SignatureError ERR_SIGNATURE_WRONG'/,
  'download-bill.ts': /^ORDER-2 99\.00 公仔, 大\nsummary: \{ .*'99\.01'.* \}\nanother bill: true ERR_BODY_DIGEST$/m,
  'interceptors-alone.ts': /^undici\.request: \{ code_url: .*\nundici\.fetch: \{ code_url: .*\nv2: SUCCESS$/m,
  'jsapi-pay.ts': /signType: 'RSA',\n {2}paySign: '[\w+/=]{344}'/,
  'mutual-tls.ts': /^presented: 1900000109\nrefund: 5\d{28}\nwithout one: true /m,
  'new-field.ts': /^declared: 100088\nloose: xsd3434454567676 true$/m,
  'non-extractable-key.ts': /^used at: \d{4}-.*\nwhen exported: key is not extractable$/m,
  'native-payment.ts':
    /^state: NOTPAY\npaid: ORDER-1 100\nstate: SUCCESS\nagain: ORDER_PAID\nrefund: PROCESSING\nrefunded: REFUND-1 40\nstate: REFUND$/m,
  'notify-express.ts': /^paid: ORDER-1\nanswered: 204$/m,
  'notify-fastify.ts': /^paid: ORDER-1\nanswered: 204$/m,
  'notify-hono.ts': /^paid: ORDER-1\nanswered: 204$/m,
  'notify-koa.ts': /^paid: ORDER-1\nanswered: 204$/m,
  'notify-node.ts': /^paid: ORDER-1\nanswered: 204$/m,
  'notify-redis.ts':
    /^redis-server was not found|^processed once: .*\nreplied: (\[ 204 \] \[.* 204 \]|\[.* 204 \] \[ 204 \])$/m,
  'proxy.ts': /^the proxy connects to 127\.0\.0\.1:\d+\nGET \/v3\/certificates 200\nGET \/hk\/v3\/certificates 200$/m,
  'sensitive-fields.ts': /^the name in it: 张三$/m,
  'sign-elsewhere.ts': /^signed by process (\d+) for process (?!\1\n)\d+\nused at: \d{4}-.+\ndecrypted there: 张三/m,
  'upload-image.ts':
    /^signed: \{"filename":"门店照片\.png","sha256":"[0-9a-f]{64}"\}[\s\S]*size: 1024,[\s\S]*^uploaded: \w/m,
  'v2-unifiedorder.ts': /^signed by HMAC-SHA256, placed: wx\w+\nrefused: \{[\s\S]*err_code: 'ORDERNOTEXIST'/m,
};

/** Runs an example as a user does, with nothing of the tests' own environment. */
function run(file: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const kept = Object.entries(process.env).filter(([name]) => !/^WECHATPAY_|^NODE_(DEBUG|OPTIONS)$/.test(name));
  const args = ['-r', 'esbuild-register', join('examples', file)];
  const options = { cwd: root, env: Object.fromEntries(kept), timeout: 50_000 };
  return new Promise((done) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      done({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    }).stdin?.end();
  });
}

/** Without the warnings of Node itself: they depend on its version. */
function withoutWarnings(stderr: string): string {
  return stderr.replace(/^\(node:\d+\) .*\n(?:\(Use `node --trace.*\n)?/gm, '');
}

test('no example is listed that is not there', () => {
  expect(Object.keys(OUTPUT).filter((name) => !files.includes(name))).toEqual([]);
});

// A few at a time, as jest has it: each is a process of its own.
test.concurrent.each(files)(
  '%s runs, prints what it should, and ends',
  async (file) => {
    const { code, stdout, stderr } = await run(file);
    expect({ code, stderr: withoutWarnings(stderr) }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(OUTPUT[file] ?? /\S/);
  },
  60_000,
);
