// What an operator watches, as Prometheus metrics. Names follow its conventions: base units, _total.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { rejectReasons } from './core/item.ts';
import type { Counters, StoreDepth } from './core/ports.ts';
import type { CommitReport } from './pipeline/run.ts';

/** The metrics of a worker. */
export interface Metrics {
  readonly registry: Registry;
  /** Takes a lane that was claimed and what it had counted: from here on this worker counts. */
  claimed(lane: string, counters: Readonly<Counters> | undefined): void;
  committed(report: CommitReport, now: number): void;
  depth(depth: StoreDepth): void;
  lanes(running: number): void;
  passed(shards: number): void;
  sinkFailed(): void;
}

const kinds = [
  'events',
  'duplicates',
  'findings',
  'insights',
  'aggregated',
  'digests',
  'control',
  'samples',
] as const;

/** Gives the metrics, at zero: they count what this worker did, not what a lane counted before. */
export function makeMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `sentrail_${name}`, help, labelNames, registers });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `sentrail_${name}`, help, labelNames, registers });
  const seconds = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `sentrail_${name}_seconds`, help, buckets, registers });

  const records = counter('records_total', 'Records read and committed.');
  const items = counter('items_total', 'Items unwrapped, by what they were.', ['kind']);
  const rejected = counter('rejected_total', 'Items rejected, by reason.', ['reason']);
  const events = counter('events_marked_total', 'Events that were late or ahead.', ['mark']);
  const hidden = counter('hidden_signals_total', 'Signals hidden, by exception.', ['exception']);
  const errors = counter('detector_errors_total', 'Detectors that threw.', ['detector']);
  const limits = counter('limits_reached_total', 'Limits that were reached.', ['limit']);
  const passed = counter('shards_passed_over_total', 'Idle shards that were passed over.');
  const sinkErrors = counter('sink_failures_total', 'Deliveries that failed and will be retried.');
  const lagTime = gauge('lag_seconds', 'Time behind the newest record.', ['shard']);
  const lagRecords = gauge('lag_records', 'Records behind the newest one.', ['shard']);
  const stateKeys = gauge('state_keys', 'State keys of detectors held.', ['lane']);
  const stateBytes = gauge('state_bytes', 'Bytes of state held, about.', ['lane']);
  const ids = gauge('event_ids', 'Event ids remembered.', ['lane']);
  const outbox = gauge('outbox_rows', 'Deliveries that wait.');
  const letters = gauge('dead_letters', 'Dead letters kept.');
  const inbox = gauge('inbox_rows', 'Rows of the inbox not yet judged.');
  const lanes = gauge('lanes', 'Lanes this worker holds.');
  const alerts = counter('alert_revisions_total', 'Revisions of alerts handed to the outbox.');
  const commit = seconds('commit', 'Time of a commit.', [0.002, 0.01, 0.05, 0.2, 1, 5]);
  const delivery = seconds('delivery', 'Time of a delivery.', [0.002, 0.01, 0.05, 0.2, 1, 5, 30]);
  const toAlert = seconds(
    'event_to_alert',
    'Time from the newest event of an alert to its commit.',
    [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 7_200],
  );

  // A counter that begins with its first increase hides it: to Prometheus it was never less.
  for (const kind of kinds) items.inc({ kind }, 0);
  for (const reason of rejectReasons) rejected.inc({ reason }, 0);

  const before = new Map<string, Readonly<Counters>>();
  const read = new Map<string, number>();
  const add = (to: Counter, labels: Record<string, string>, by: number) => {
    if (by > 0) to.inc(labels, by);
  };
  const count = (now: Readonly<Counters>, old: Readonly<Counters> | undefined) => {
    for (const kind of kinds) add(items, { kind }, now[kind] - (old?.[kind] ?? 0));
    add(events, { mark: 'late' }, now.late - (old?.late ?? 0));
    add(events, { mark: 'ahead' }, now.ahead - (old?.ahead ?? 0));
    const maps = [
      [rejected, 'reason', now.rejected, old?.rejected],
      [hidden, 'exception', now.hidden, old?.hidden],
      [errors, 'detector', now.detectorErrors, old?.detectorErrors],
      [limits, 'limit', now.limits, old?.limits],
    ] as const;
    for (const [to, label, all, was] of maps) {
      const old: Readonly<Record<string, number>> = was ?? {};
      for (const [name, n] of Object.entries(all)) add(to, { [label]: name }, n - (old[name] ?? 0));
    }
  };

  return {
    registry,
    claimed(lane, counters) {
      if (counters === undefined) before.delete(lane);
      else before.set(lane, structuredClone(counters));
      read.delete(lane);
    },
    committed(report, now) {
      const { lane, counters } = report;
      count(counters, before.get(lane));
      before.set(lane, structuredClone(counters));
      add(records, {}, report.read.done - (read.get(lane) ?? 0));
      read.set(lane, report.read.done);
      for (const [shard, lag] of report.lag) {
        if (lag.milliseconds !== undefined) lagTime.set({ shard }, lag.milliseconds / 1000);
        if (lag.records !== undefined) lagRecords.set({ shard }, lag.records);
      }
      stateKeys.set({ lane }, report.state.keys);
      stateBytes.set({ lane }, report.state.bytes);
      ids.set({ lane }, report.state.ids);
      commit.observe(report.tookMs / 1000);
      delivery.observe(report.deliveredMs / 1000);
      add(alerts, {}, report.notable);
      for (const alert of report.revised) {
        if (alert.delivered < alert.revision) continue;
        const newest = Math.max(...alert.signals.map((one) => one.time));
        if (Number.isFinite(newest)) toAlert.observe(Math.max(0, now - newest) / 1000);
      }
    },
    depth(depth) {
      outbox.set(depth.outbox);
      letters.set(depth.deadLetters);
      inbox.set(depth.inbox);
    },
    lanes: (running) => lanes.set(running),
    passed: (shards) => passed.inc(shards),
    sinkFailed: () => sinkErrors.inc(),
  };
}
