const { join } = require('node:path');

/** Notifications by the package, as a program that answers itself uses it. */
exports.connect = ({ platformId, platformKey, apiv3Key }, dist = join(__dirname, '../../dist')) => {
  const { Notifications } = require(join(dist, 'index.js'));
  const notifications = Notifications.of({ certs: { [platformId]: platformKey }, apiv3Key });
  return async (request) => (await notifications.parse(request)).resource;
};
