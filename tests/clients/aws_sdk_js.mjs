// @aws-sdk/client-s3 and lib-storage. Speaks the conversation that conversation.py describes.
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';

const require = createRequire(pathToFileURL(`${process.env.NODE_CLIENTS}/`));
const sdk = require('@aws-sdk/client-s3');
const { Upload } = require('@aws-sdk/lib-storage');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const Bucket = process.env.S3_BUCKET;
const s3 = new sdk.S3Client({ endpoint: process.env.S3_ENDPOINT, region: 'us-east-1', forcePathStyle: true, maxAttempts: 2 });
const send = (name, input) => s3.send(new sdk[`${name}Command`]({ Bucket, ...input }));

class Impossible extends Error {}

function assert(condition, text) {
  if (!condition) throw new Error(text);
}

async function abortedUploadIsGone(Key, UploadId) {
  try {
    await send('ListParts', { Key, UploadId });
  } catch (error) {
    assert(error.name === 'NoSuchUpload', `ListParts after Abort: ${error}`);
    return;
  }
  throw new Error('the upload is still there after Abort');
}

const operations = {
  async put({ key, file, content_type, metadata }) {
    await send('PutObject', { Key: key, Body: await readFile(file), ContentType: content_type, Metadata: metadata });
  },
  // A stream makes this client send chunks with a checksum behind them, over plain http too.
  async put_large({ key, file }) {
    await new Upload({ client: s3, params: { Bucket, Key: key, Body: createReadStream(file) }, partSize: 5 << 20, queueSize: 3 }).done();
  },
  async put_new({ key, file }) {
    try {
      await send('PutObject', { Key: key, Body: await readFile(file), IfNoneMatch: '*' });
      return { created: true };
    } catch (error) {
      if (error.$metadata?.httpStatusCode !== 412) throw error;
      return { created: false };
    }
  },
  async get({ key, file }) {
    const got = await send('GetObject', { Key: key });
    await pipeline(got.Body, createWriteStream(file));
  },
  async get_large(request) {
    await operations.get(request);
  },
  async get_range({ key, first, last, file }) {
    const got = await send('GetObject', { Key: key, Range: `bytes=${first}-${last}` });
    await pipeline(got.Body, createWriteStream(file));
  },
  async head({ key }) {
    const got = await send('HeadObject', { Key: key });
    return { size: got.ContentLength, content_type: got.ContentType, metadata: got.Metadata };
  },
  async list({ prefix, delimiter, page }) {
    const keys = [], prefixes = [];
    let pages = 0;
    for await (const got of sdk.paginateListObjectsV2({ client: s3, pageSize: page }, { Bucket, Prefix: prefix, Delimiter: delimiter || undefined })) {
      pages += 1;
      keys.push(...(got.Contents ?? []).map((entry) => entry.Key));
      prefixes.push(...(got.CommonPrefixes ?? []).map((entry) => entry.Prefix));
    }
    return { keys, prefixes, pages };
  },
  async copy({ source, key }) {
    await send('CopyObject', { Key: key, CopySource: `${Bucket}/${encodeURIComponent(source)}` });
  },
  async multipart({ key, file, part_size }) {
    const { UploadId } = await send('CreateMultipartUpload', { Key: key });
    const body = await readFile(file);
    const parts = [];
    for (let from = 0; from < body.length; from += part_size) {
      const PartNumber = parts.length + 1;
      const { ETag } = await send('UploadPart', { Key: key, UploadId, PartNumber, Body: body.subarray(from, from + part_size) });
      parts.push({ PartNumber, ETag });
    }
    const listed = await send('ListParts', { Key: key, UploadId });
    assert(JSON.stringify(listed.Parts.map((p) => p.ETag)) === JSON.stringify(parts.map((p) => p.ETag)), 'ListParts differs');
    const done = await send('CompleteMultipartUpload', { Key: key, UploadId, MultipartUpload: { Parts: parts } });
    return { etag: done.ETag, parts: parts.map((p) => p.ETag) };
  },
  async abort({ key, file }) {
    const { UploadId } = await send('CreateMultipartUpload', { Key: key });
    await send('UploadPart', { Key: key, UploadId, PartNumber: 1, Body: await readFile(file) });
    await send('AbortMultipartUpload', { Key: key, UploadId });
    await abortedUploadIsGone(key, UploadId);
  },
  async delete({ key }) {
    await send('DeleteObject', { Key: key });
  },
  async delete_many({ keys }) {
    const got = await send('DeleteObjects', { Delete: { Objects: keys.map((Key) => ({ Key })) } });
    assert(!got.Errors?.length, JSON.stringify(got.Errors));
    assert(got.Deleted.length === keys.length, 'not every key is named as deleted');
  },
  async presign({ key }) {
    return { url: await getSignedUrl(s3, new sdk.GetObjectCommand({ Bucket, Key: key }), { expiresIn: 300 }) };
  },
  async copy_large() {
    throw new Impossible('has no copy in parts of its own');
  },
  async columns() {
    throw new Impossible('reads no parquet');
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await operations[op](request)) ?? {} };
  } catch (error) {
    answer = error instanceof Impossible ? { impossible: error.message } : { error: `${error.name}: ${error.message}`.slice(0, 1500) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
