// `sentrail replay s3://…`: the sample trail out of a bucket gives the alerts it gives out of a folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
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
  // Not waited for in the manner of a script: the emulator's log must be read meanwhile.
  const sentrail = async (...args: string[]) => {
    const command = [program, 'replay', ...args, '--no-store', '--json'];
    const child = spawn(process.execPath, command, { env });
    const text = async (stream: Readable) => Buffer.concat(await stream.toArray()).toString();
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const status = child.exitCode ?? (await once(child, 'exit'))[0];
    return { stdout, stderr, status };
  };
  const replay = async (...args: string[]) => (await sentrail(...args)).stdout;

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

  it('gives the same alerts as the folder', async () => {
    const alerts = await replay('s3://sample-trail/logs/');
    expect(alerts.split('\n').length).toBeGreaterThan(5);
    expect(alerts).toBe(await replay(sample));
  });

  it('reads only the days of a range', async () => {
    const range = ['--from', '2026-11-11', '--to', '2026-11-12'];
    expect(await replay('s3://sample-trail/logs/', ...range)).toBe(await replay(sample, ...range));
  });

  it('says what to try when there is no such bucket, and when others stand beside it', async () => {
    expect(await sentrail('s3://no-such-bucket-here/')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/NoSuchBucket.*check/),
    });
    expect(await sentrail('s3://a/', 's3://b/')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/name one s3:/),
    });
  });
});
