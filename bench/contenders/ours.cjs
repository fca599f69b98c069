const { join } = require('node:path');

/** The package as users run it: built, with its defaults. */
exports.connect = (
  { mchid, serial, privateKey, platformId, platformKey, baseUrl },
  dist = join(__dirname, '../../dist'),
) => {
  const { Builder } = require(join(dist, 'index.js'));
  const instance = Builder.factory({ mchid, serial, privateKey, certs: { [platformId]: platformKey }, baseUrl });
  return (json) => instance.v3.pay.transactions.native.post({ json }).json();
};
