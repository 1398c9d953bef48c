// What was made of one event: who was asked, what each said, what an exception hid, which alert it is in.
import { detectors } from '../detectors/index.ts';
import type { Config } from '../schemas/config.ts';
import type { Detector } from './core/detector.ts';
import type { Event } from './core/event.ts';
import type { ProvingEvent, Source, SourceRecord, Store } from './core/ports.ts';
import type { SignalDraft } from './core/signal.ts';
import { createDecoder } from './decode/decoder.ts';
import { makeCatalogue } from './engine/catalogue.ts';
import { type ExceptionMatch, exceptionMatch } from './engine/exceptions.ts';
import { draftsOf } from './engine/raise.ts';

/** What one detector said. `quiet` is its sentence when it gave no signal. */
export interface Said {
  readonly detector: string;
  readonly signals: readonly {
    severity: string;
    title: string;
    reason: string;
    hiddenBy?: string;
  }[];
  readonly quiet?: string;
  /** For detectors that look at several events together: the key this one was counted under. */
  readonly countedUnder?: string;
}

/** The whole explanation, as it leaves with --json. */
export interface Explanation {
  readonly event: string;
  readonly account: string;
  readonly time: number;
  readonly call: string;
  readonly principal: string;
  readonly outcome: string;
  readonly place: string;
  readonly asked: readonly Said[];
  readonly alerts: readonly {
    id: string;
    status: string;
    title: string;
    signals: readonly string[];
  }[];
  /** The record as it was, UTF-8. */
  readonly raw: string;
}

/** Takes an event as it was found, the config, and the store where there is one; explains it. */
export async function explain(
  found: ProvingEvent,
  config: Config,
  store: Store | undefined,
): Promise<Explanation | undefined> {
  const catalogue = makeCatalogue(detectors, config);
  const excepted = exceptionMatch(config.exceptions);
  const record: SourceRecord = {
    shard: found.shard,
    sequence: '0',
    arrival: undefined,
    bytes: found.bytes,
    isFirst: true,
    isLast: true,
  };
  for (const item of createDecoder(config.limits).decode(record, 0)) {
    if (item.kind !== 'event') continue;
    const { event } = item;
    const asked = catalogue
      .askedAbout(event)
      .map((one) => said(one.detector, one.config, event, excepted));
    return {
      event: event.id,
      account: event.account,
      time: event.time,
      call: `${event.source}:${event.name}`,
      principal: event.principal.key,
      outcome: event.outcome,
      place: `${found.shard} item ${found.item}`,
      asked,
      alerts: store === undefined ? [] : await alertsWith(store, event.id),
      raw: Buffer.from(found.bytes).toString('utf8'),
    };
  }
  return undefined;
}

function said(detector: Detector, config: unknown, event: Event, excepted: ExceptionMatch): Said {
  const { id } = detector.meta;
  try {
    if (!('fold' in detector)) {
      const opinion = detector.detect(event, config);
      if (typeof opinion === 'string') return { detector: id, signals: [], quiet: opinion };
      return { detector: id, signals: shown(id, draftsOf(opinion), excepted) };
    }
    const keyed = detector.state.key(event);
    if (typeof keyed === 'string') return { detector: id, signals: [], quiet: keyed };
    const state = detector.state.empty();
    detector.fold(event, state, config);
    const alone = detector.judge([{ key: keyed.key, start: event.time, state }], config);
    const countedUnder = keyed.key;
    if (alone.length > 0)
      return { detector: id, signals: shown(id, alone, excepted), countedUnder };
    return { detector: id, signals: [], quiet: 'not a signal by itself', countedUnder };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { detector: id, signals: [], quiet: `it failed (coverage lost): ${why}` };
  }
}

function shown(
  id: string,
  drafts: readonly SignalDraft[],
  excepted: ExceptionMatch,
): Said['signals'] {
  return drafts.map((draft) => {
    const { severity, title, reason } = draft;
    const exception = excepted(id, draft, []);
    return {
      severity,
      title,
      reason,
      ...(exception === undefined ? {} : { hiddenBy: exception.id }),
    };
  });
}

async function alertsWith(store: Store, eventId: string): Promise<Explanation['alerts']> {
  const found: Explanation['alerts'][number][] = [];
  for await (const alert of store.listAlerts({})) {
    const proven = alert.signals.filter((one) =>
      one.evidence.some((proof) => proof.id === eventId),
    );
    if (proven.length === 0) continue;
    const titles = proven.map((one) => one.title);
    found.push({ id: alert.id, status: alert.status, title: titles[0] ?? '', signals: titles });
  }
  return found;
}

/** Takes sources that can be read again and an event's id; gives every event of that id in them. */
export async function findEvent(
  id: string,
  source: Source,
  config: Config,
  stop: AbortSignal,
): Promise<readonly ProvingEvent[]> {
  const decoder = createDecoder(config.limits);
  const found = new Map<string, ProvingEvent>();
  for await (const record of source.read(async () => new Map(), stop)) {
    if ('isLull' in record) continue;
    for (const item of decoder.decode(record, 0)) {
      if (item.kind !== 'event' || item.event.id !== id) continue;
      const { account, time } = item.event;
      const { shard, item: at } = item.position;
      found.set(account, { id, account, time, shard, item: at, bytes: item.event.raw() });
    }
  }
  return [...found.values()];
}
