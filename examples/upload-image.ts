/**
 * Uploads an image (图片上传). APIv3 signs only the `meta` part; the file is streamed and never held in memory.
 *
 * It talks to an in-process sandbox.
 */
import { randomBytes } from 'node:crypto';
import { Builder, Media } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  sandbox.on('post', 'v3/merchant/media/upload', ({ json, files }) => {
    console.log('the platform has:', json, files);
    return { media_id: '6uqyGjGrCf2GtyXP8bxrbuH9-aAoTjH-rKeSl3Lf4_So6kdkQu4w' };
  });
  const instance = Builder.factory(sandbox.config);

  // From a path, a file: URL, bytes, a Blob or a stream. Bytes need a file name.
  await using media = await Media.from(randomBytes(1024), { filename: '门店照片.png' });
  console.log('signed:', media.meta);
  const { media_id } = await instance.v3.merchant.media.upload.post({ body: media }).json();
  console.log('uploaded:', media_id);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
