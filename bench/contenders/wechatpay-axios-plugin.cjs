/** As its README has it; over the connections of Node's global agent, which are kept alive. */
exports.connect = ({ mchid, serial, privateKey, platformId, platformKey, baseUrl }) => {
  const { Rsa, Wechatpay } = require('wechatpay-axios-plugin');
  const wxpay = new Wechatpay({
    mchid,
    serial,
    privateKey: Rsa.from(privateKey, Rsa.KEY_TYPE_PRIVATE),
    certs: { [platformId]: Rsa.from(platformKey, Rsa.KEY_TYPE_PUBLIC) },
    baseURL: baseUrl,
  });
  return async (order) => (await wxpay.v3.pay.transactions.native.post(order)).data;
};
