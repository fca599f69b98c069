/** As its README has it; over the connections of Node's global agent, which are kept alive. It verifies no answers. */
exports.connect = ({ mchid, appid, serial, privateKey, platformKey, baseUrl }) => {
  const WxPay = require('wechatpay-node-v3');
  const pay = new WxPay({
    appid,
    mchid,
    serial_no: serial,
    publicKey: Buffer.from(platformKey),
    privateKey: Buffer.from(privateKey),
  });
  // It knows no other host than WeChat Pay's.
  const { httpService } = pay;
  pay.createHttp({
    post: (url, ...rest) => httpService.post(url.replace('https://api.mch.weixin.qq.com/', baseUrl), ...rest),
  });
  return async (order) => {
    const { status, data, error } = await pay.transactions_native(order);
    if (status !== 200) throw new Error(`HTTP ${status}: ${error}`);
    return data;
  };
};
