import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { pushConfig } from '../../schemas/sources.ts';
import type { Lull, SourceRecord } from '../../src/core/ports.ts';
import { type PushSource, pushSource } from '../../src/sources/push.ts';
import { sourceContract } from '../contract/source.ts';
import { type MemoryInbox, memoryInbox } from '../support/inbox.ts';

const name = 'bus';
const secret = 'Bearer a long and secret word';
const now = 1_800_000_000_000;
const configured = (more: object = {}) =>
  pushConfig.parse({ type: 'push', listen: '127.0.0.1:0', secret: { env: 'NONE' }, ...more });
const made = (inbox: MemoryInbox, more: object = {}) =>
  pushSource({ name, config: configured(more), secret, inbox, clock: () => now });

/** A source that listens, and what it read. */
interface Listening {
  readonly source: PushSource;
  readonly url: string;
  readonly inbox: MemoryInbox;
  next(): Promise<SourceRecord | Lull | undefined>;
  stop(): Promise<void>;
}
const open: Listening[] = [];

async function listening(more: object = {}, inbox = memoryInbox()): Promise<Listening> {
  const source = made(inbox, more);
  const stop = new AbortController();
  const reading = source.read(async () => new Map(), stop.signal)[Symbol.asyncIterator]();
  const one: Listening = {
    source,
    get url() {
      return `http://127.0.0.1:${source.port()}/events`;
    },
    inbox,
    next: async () => {
      const { value, done } = await reading.next();
      return done === true ? undefined : value;
    },
    stop: async () => {
      stop.abort();
      await reading.return?.();
      await source.close();
    },
  };
  open.push(one);
  await one.next();
  while (source.port() === undefined) await sleep(5);
  return one;
}

const post = (url: string, body: string | Uint8Array<ArrayBuffer>, headers: object = {}) =>
  fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: secret, 'content-type': 'application/json', ...headers },
  });

afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

sourceContract('a push source', async () => {
  const inbox = { ...memoryInbox(), inboxDrop: async () => {} };
  for (const text of ['a\nb\n', 'c\n', 'd\ne\n'])
    await inbox.inboxPut(name, { bytes: Buffer.from(text), isLast: true, arrival: now });
  return { open: () => made(inbox), close: async () => {} };
});

describe('a push source', () => {
  it('answers 200 when the inbox has the post, and gives it as it came', async () => {
    const { url, inbox, next } = await listening();
    const body = '{"version":"0","detail":{}}';
    const response = await post(url, body);
    expect(response.status).toBe(200);
    expect(Buffer.from(inbox.rows.get(name)?.[0]?.bytes ?? []).toString()).toBe(body);
    const record = await next();
    expect(record).toMatchObject({ shard: name, sequence: '1', arrival: now, done: '' });
  });

  it.each([
    ['an array', Buffer.from('[{"a":1},{"b":2}]'), { 'content-type': 'application/json' }],
    ['lines', Buffer.from('{"a":1}\n{"b":2}\n'), { 'content-type': 'application/x-ndjson' }],
    ['gzip', gzipSync('{"a":1}'), { 'content-encoding': 'gzip' }],
    ['a type that nobody knows', Buffer.from('{}'), { 'content-type': 'x/y; z=1' }],
    ['no JSON at all', Buffer.from('hello'), { 'content-type': 'text/plain' }],
  ])('keeps %s as it came', async (_, body, headers) => {
    const { url, inbox } = await listening();
    expect((await post(url, Uint8Array.from(body), headers)).status).toBe(200);
    expect(inbox.rows.get(name)?.map(({ bytes }) => Buffer.from(bytes))).toEqual([body]);
  });

  it('takes a post that names no type', async () => {
    const { url, inbox, source } = await listening();
    const head = `POST /events HTTP/1.1\r\nhost: a\r\nauthorization: ${secret}\r\n`;
    const answer = await raw(source.port() ?? 0, `${head}content-length: 2\r\n\r\n{}`);
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    expect(inbox.rows.get(name)?.length).toBe(1);
    expect(url).toContain('/events');
  });

  it.each([
    ['no header', {}],
    ['another word', { authorization: 'Bearer another word' }],
    ['the word without its scheme', { authorization: 'a long and secret word' }],
    ['the beginning', { authorization: secret.slice(0, -1) }],
    ['more behind it', { authorization: `${secret}x` }],
    ['another spelling', { authorization: secret.toUpperCase() }],
    ['the word in another header', { 'x-secret': secret }],
  ])('refuses %s, without details', async (_, headers) => {
    const { url, inbox } = await listening();
    const response = await fetch(url, { method: 'POST', body: '{}', headers });
    expect(response.status).toBe(401);
    expect(await response.text()).toBe('');
    expect(inbox.rows.size).toBe(0);
  });

  it('takes the secret from the header it was told', async () => {
    const { url } = await listening({ header: 'X-Api-Key' });
    const asked = (headers: Record<string, string>) =>
      fetch(url, { method: 'POST', body: '{}', headers });
    expect((await asked({ 'x-api-key': secret })).status).toBe(200);
    expect((await asked({ authorization: secret })).status).toBe(401);
  });

  it.each([
    ['another path', 'POST', '/other', 404],
    ['a deeper path', 'POST', '/events/x', 404],
    ['reading', 'GET', '/events', 404],
    ['an empty post', 'POST', '/events', 400],
  ])('keeps nothing of %s', async (_, method, path, status) => {
    const { url, inbox } = await listening();
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: secret },
    });
    expect(response.status).toBe(status);
    expect(await response.text()).toBe('');
    expect(inbox.rows.size).toBe(0);
  });

  it('refuses a body that is too large, by its length and by its bytes', async () => {
    const { url, inbox, source } = await listening({ bytesMax: 1_024 });
    expect((await post(url, 'x'.repeat(1_025))).status).toBe(413);
    const head = `POST /events HTTP/1.1\r\nhost: a\r\nauthorization: ${secret}\r\n`;
    const chunk = `401\r\n${'x'.repeat(0x401)}\r\n`;
    const chunked = `${head}transfer-encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
    expect(await raw(source.port() ?? 0, chunked)).toMatch(/^HTTP\/1.1 413/);
    expect(inbox.rows.size).toBe(0);
    expect((await post(url, 'x'.repeat(1_024))).status).toBe(200);
  });

  it('sends away what there is no room for, until there is', async () => {
    const { url, next } = await listening({ unreadMax: 2 });
    const posts = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((body) => post(url, body)));
    const codes = posts.map(({ status }) => status).sort();
    expect(codes).toEqual([200, 200, 503, 503, 503]);
    const refused = posts.find(({ status }) => status === 503);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    await next();
    await next();
    await next();
    expect((await post(url, 'f')).status).toBe(200);
  });

  it('says 503 and gives up when the inbox fails', async () => {
    const inbox = memoryInbox();
    const broken = { ...inbox, inboxPut: () => Promise.reject(new Error('disk full')) };
    const { url, next } = await listening({}, broken);
    const failing = (async () => {
      while ((await next()) !== undefined);
    })();
    const expected = expect(failing).rejects.toThrow('disk full');
    expect((await post(url, '{}')).status).toBe(503);
    await expected;
  });

  it('answers what it was keeping when told to stop, and listens no more', async () => {
    const inbox = memoryInbox();
    const slow: MemoryInbox = {
      ...inbox,
      inboxPut: async (source, row) => {
        await sleep(150);
        return inbox.inboxPut(source, row);
      },
    };
    const one = await listening({}, slow);
    const { url } = one;
    const response = post(url, '{}');
    await sleep(50);
    const begun = performance.now();
    await one.stop();
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect((await response).status).toBe(200);
    await expect(post(url, '{}')).rejects.toThrow();
  });

  it('stops within a second while a sender dawdles', async () => {
    const one = await listening();
    const head = `POST /events HTTP/1.1\r\nhost: a\r\nauthorization: ${secret}\r\n`;
    const hanging = raw(one.source.port() ?? 0, `${head}content-length: 9\r\n\r\n{`);
    await sleep(50);
    const begun = performance.now();
    await one.stop();
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(await hanging).toBe('');
  });

  it('closes on a sender that does not end its headers', { timeout: 20_000 }, async () => {
    const { source } = await listening();
    const begun = performance.now();
    const answer = await raw(source.port() ?? 0, 'POST /events HTTP/1.1\r\nhost: a\r\n');
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(answer).toMatch(/^(?:HTTP\/1.1 408|$)/);
  });

  it('refuses to open without a secret, and where another listens', async () => {
    const parts = { name, config: configured(), inbox: memoryInbox(), clock: () => now };
    expect(() => pushSource({ ...parts, secret: '' })).toThrow('its secret is empty');
    const { source } = await listening();
    const other = made(memoryInbox(), { listen: `127.0.0.1:${source.port()}` });
    const reading = (async () => {
      for await (const _ of other.read(async () => new Map(), new AbortController().signal));
    })();
    await expect(reading).rejects.toThrow(/EADDRINUSE/);
  });
});

/** Sends bytes as they are; gives all that comes until the other side closes, or an answer ends. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (data) => {
      answer += data;
      if (answer.includes('\r\n\r\n')) socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
