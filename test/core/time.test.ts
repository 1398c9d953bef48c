// Times as CloudTrail and its exports write them (fixture 43), and the fast way against the slow one.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatTime, parseTime, windowStart } from '../../src/core/time.ts';

it.each([
  ['2026-11-24T02:46:52Z', '2026-11-24T02:46:52Z'],
  ['2026-11-24T02:46:52.123Z', '2026-11-24T02:46:52.123Z'],
  ['2026-11-24 02:46:52', '2026-11-24T02:46:52Z'],
  ['2026-11-24 02:46:52.123456789', '2026-11-24T02:46:52.123Z'],
  ['2014-03-06T21: 22: 54Z', '2014-03-06T21:22:54Z'],
  ['2022-02-08 09:23:37+11:00', '2022-02-07T22:23:37Z'],
  ['20131102T010628Z', '2013-11-02T01:06:28Z'],
  ['20261124T0246Z', '2026-11-24T02:46:00Z'],
])('reads %s', (text, wanted) => {
  expect(formatTime(parseTime(text) ?? 0)).toBe(wanted);
});

it.each([
  undefined,
  null,
  17,
  '',
  'yesterday',
  'Nov 30, 2024, 8:43:17\u202fPM',
  '2026-13-01T00:00:00Z',
])('takes %s for no time', (text) => {
  expect(parseTime(text)).toBeUndefined();
});

it('gives every second of every day back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (seconds) => {
      expect(parseTime(formatTime(seconds * 1000))).toBe(seconds * 1000);
    }),
  );
});

it('puts a time into the window that holds it', () => {
  expect(windowStart(-1, 10)).toBe(-10);
  expect(windowStart(10, 10)).toBe(10);
});
