const floor = require('./floor.cjs');

/** The floor over the WebCrypto of @peculiar/webcrypto. */
exports.connect = (setup) => {
  const { Crypto } = require('@peculiar/webcrypto');
  return floor.connect(setup, new Crypto());
};
