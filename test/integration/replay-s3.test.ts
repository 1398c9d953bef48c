// `sentrail replay s3://…`: the sample trail out of a bucket gives the alerts it gives out of a folder.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isMissing, withServer } from './servers/missing.ts';
import { startMoto } from './servers/moto.ts';

const server = await startMoto();
const root = join(import.meta.dirname, '../..');
const program = join(root, 'dist/src/cli/main.js');
const sample = join(root, 'examples/trail');

afterAll(async () => {
  if (!isMissing(server)) await server.close();
});

withServer('a replay out of a bucket', server, ({ endpoint }) => {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: endpoint,
  };
  const replay = (...args: string[]) =>
    execFileSync(process.execPath, [program, 'replay', ...args, '--no-store', '--json'], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    });

  beforeAll(async () => {
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'none' };
    const s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await s3.send(new CreateBucketCommand({ Bucket: 'sample-trail' }));
    const files = readdirSync(sample, { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile())) {
      const path = join(file.parentPath, file.name);
      const Key = `logs/${relative(sample, path)}`;
      await s3.send(
        new PutObjectCommand({ Bucket: 'sample-trail', Key, Body: readFileSync(path) }),
      );
    }
  });

  it('gives the same alerts as the folder', () => {
    expect(replay('s3://sample-trail/logs/')).toBe(replay(sample));
  });

  it('reads only the days of a range', () => {
    const range = ['--from', '2026-11-11', '--to', '2026-11-12'];
    expect(replay('s3://sample-trail/logs/', ...range)).toBe(replay(sample, ...range));
  });

  it('says what to try when there is no such bucket, and when others stand beside it', () => {
    const failing = (...paths: string[]) =>
      spawnSync(process.execPath, [program, 'replay', ...paths, '--no-store'], {
        env,
        encoding: 'utf8',
      });
    expect(failing('s3://no-such-bucket-here/')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/NoSuchBucket.*check/),
    });
    expect(failing('s3://a/', 's3://b/')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/name one s3:/),
    });
  });
});
