// A lane: one ordered stream judged with one state. `step` takes items and changes the state in place;
// what changed is drained for the next commit. Synchronous, no I/O, no clock but event time.
import type { Config } from '../../schemas/config.ts';
import type { FoldDetector, JudgedSignal } from '../core/detector.ts';
import { assert } from '../core/errors.ts';
import type { Event } from '../core/event.ts';
import type { EventItem, Item, RejectedItem } from '../core/item.ts';
import type {
  Changes,
  Checkpoint,
  Counters,
  DeadLetter,
  Kept,
  ProvingEvent,
} from '../core/ports.ts';
import type { SignalDraft } from '../core/signal.ts';
import { hourMs, windowStart } from '../core/time.ts';
import type { Catalogue, Enabled } from './catalogue.ts';
import { Chains } from './chains.ts';
import { EventClocks, type Standing } from './clocks.ts';
import { balance, emptyCounters } from './counters.ts';
import { IdMemory } from './duplicates.ts';
import { exceptionMatch } from './exceptions.ts';
import { LastSaid } from './judged.ts';
import { deadLetterOf, horizonOf } from './kept.ts';
import type { LaneSize } from './lane-size.ts';
import { alertIdOf, type Operation, signalIdOf } from './operations.ts';
import { draftsOf, type Raised, raised } from './raise.ts';
import { DetectorState } from './state.ts';

/** The operations of one event, in catalogue order. A revision is made per event, never per batch. */
export type Judgement = readonly Operation[];

/** What steps left behind since the last drain, apart from alerts. */
export type LaneChanges = Omit<Changes, 'fingerprint' | 'progress' | 'alerts' | 'outbox'>;

/** What a lane is made with. `from` and `to` bound event time: outside, events are counted only. */
export interface LaneOptions {
  readonly catalogue: Catalogue;
  readonly config: Pick<
    Config,
    'lateness' | 'ahead' | 'alerts' | 'duplicates' | 'limits' | 'exceptions'
  >;
  readonly checkpoint: Checkpoint | undefined;
  readonly from?: number;
  readonly to?: number;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #folds: ReadonlyMap<string, FoldDetector>;
  readonly #state: DetectorState;
  readonly #ids: IdMemory;
  readonly #clocks: EventClocks;
  readonly #chains: Chains;
  readonly #said = new LastSaid();
  readonly #counters: Counters;
  /** Bytes of raw records and dead letters that wait for the next drain. */
  pendingBytes = 0;
  #events: ProvingEvent[] = [];
  #deadLetters: DeadLetter[] = [];
  #kept: Kept[] = [];
  #judgements: Judgement[] = [];
  #sweptHour: number;
  #settledUpTo: number;

  constructor(options: LaneOptions) {
    const { catalogue, config, checkpoint } = options;
    this.#options = options;
    this.#folds = new Map(
      catalogue.enabled.flatMap(({ id, detector }) => ('fold' in detector ? [[id, detector]] : [])),
    );
    this.#state = new DetectorState(checkpoint?.buckets ?? [], this.#folds, config.limits.keysMax);
    this.#ids = new IdMemory(checkpoint?.ids ?? [], checkpoint?.horizon.forgottenBefore);
    this.#clocks = new EventClocks(
      checkpoint?.clocks ?? {},
      config.lateness,
      config.ahead,
      config.limits.accountsMax,
    );
    this.#chains = new Chains(
      checkpoint?.buckets ?? [],
      config.limits.sessionsMax,
      exceptionMatch(config.exceptions),
    );
    this.#sweptHour = checkpoint?.horizon.sweptHour ?? Number.NEGATIVE_INFINITY;
    this.#settledUpTo = checkpoint?.horizon.settledUpTo ?? Number.NEGATIVE_INFINITY;
    this.#counters =
      checkpoint === undefined ? emptyCounters() : structuredClone(checkpoint.counters);
  }

  get counters(): Readonly<Counters> {
    return this.#counters;
  }

  /** How much is held: keys of detectors, remembered event ids, and about how many bytes both are. */
  get size(): LaneSize {
    const { keys } = this.#state;
    const { sessions, bytes: sessionBytes } = this.#chains.size;
    const bytes = this.#ids.bytes + this.#state.bytes + sessionBytes;
    return { keys, ids: this.#ids.size, sessions, sessionBytes, bytes };
  }

  /** Takes one item, valid during this call only, and judges it. */
  step(item: Item): void {
    const counters = this.#counters;
    counters.items++;
    switch (item.kind) {
      case 'event':
        this.#event(item);
        return;
      case 'finding':
        counters.findings++;
        break;
      case 'insight':
        counters.insights++;
        break;
      case 'aggregated':
        counters.aggregated++;
        break;
      case 'digest':
        counters.digests++;
        return;
      case 'control':
        counters.control++;
        return;
      case 'sample':
        counters.samples++;
        return;
      case 'rejected':
        this.#reject(item);
        return;
    }
    const { shard, sequence, item: at } = item.position;
    this.pendingBytes += item.bytes.length;
    this.#kept.push({
      kind: item.kind,
      shard,
      sequence,
      item: at,
      bytes: new Uint8Array(item.bytes),
    });
  }

  /** Gives everything since the last drain: judgements for `correlate`, the rest for the commit. */
  drain(): { readonly judgements: readonly Judgement[]; readonly changes: LaneChanges } {
    assert(balance(this.#counters) === 0, 'every item unwrapped is counted in exactly one kind');
    const judgements = this.#judgements;
    const state = this.#state.changes(this.#folds);
    const sessions = this.#chains.changes();
    const changes: LaneChanges = {
      counters: structuredClone(this.#counters),
      clocks: this.#clocks.snapshot(),
      buckets: structuredClone([...state.buckets, ...sessions.buckets]),
      bucketsGone: [...state.bucketsGone, ...sessions.bucketsGone],
      ...this.#ids.changes(),
      horizon: horizonOf(this.#ids.forgottenBefore, this.#sweptHour, this.#settledUpTo),
      events: this.#events,
      deadLetters: this.#deadLetters,
      kept: this.#kept,
    };
    this.pendingBytes = 0;
    this.#judgements = [];
    this.#events = [];
    this.#deadLetters = [];
    this.#kept = [];
    return { judgements, changes };
  }

  #reject(item: RejectedItem): void {
    const rejected = this.#counters.rejected;
    rejected[item.reason] = (rejected[item.reason] ?? 0) + 1;
    const letter = deadLetterOf(item);
    this.pendingBytes += letter.bytes.length;
    this.#deadLetters.push(letter);
  }

  #event(item: EventItem): void {
    const { event } = item;
    const counters = this.#counters;
    const seen = this.#ids.see(event, event.id);
    if (seen === 'duplicate') {
      counters.duplicates++;
      return;
    }
    let isRecount = false;
    if (event.isCorrection) isRecount = this.#ids.see(event, event.identity) === 'duplicate';
    counters.events++;
    if (seen === 'forgotten') counters.beyondMemory++;
    const standing = this.#clocks.observe(event, item.arrival);
    if (standing.isLate) counters.late++;
    if (standing.isAhead) counters.ahead++;
    if (!standing.isAhead) this.#sweep(event);
    const wereLimits = this.#chains.limitsReached;
    const amended = this.#chains.observe(event);
    if (this.#chains.limitsReached > wereLimits) this.#limit('sessions remembered');
    for (const one of amended) if (one.kind === 'chain') this.#countHidden(one.exception?.id);
    if (amended.length > 0) this.#judgements.push(amended);
    const { from, to } = this.#options;
    if ((from !== undefined && event.time < from) || (to !== undefined && event.time >= to)) {
      counters.outsideRange++;
      return;
    }
    const asked = this.#options.catalogue.askedAbout(event);
    if (asked.length > 0) this.#judge(item, asked, standing, isRecount);
  }

  #judge(item: EventItem, asked: readonly Enabled[], standing: Standing, isRecount: boolean): void {
    const operations: Operation[] = [];
    let isProof = false;
    for (const one of asked) {
      try {
        const made =
          'fold' in one.detector
            ? this.#fold(one, one.detector, item.event, standing, isRecount)
            : this.#detect(one, item.event, standing);
        if (made === undefined) continue;
        isProof = true;
        operations.push(...made);
      } catch {
        // A detector that throws is lost coverage for this event, not the end of the run.
        const errors = this.#counters.detectorErrors;
        errors[one.id] = (errors[one.id] ?? 0) + 1;
      }
    }
    if (isProof) this.#prove(item);
    if (operations.length > 0) this.#judgements.push(operations);
  }

  #prove({ event, position }: EventItem): void {
    const { shard, item } = position;
    const { id, account, time } = event;
    const bytes = event.raw();
    this.pendingBytes += bytes.length;
    this.#events.push({ id, account, time, shard, item, bytes });
  }

  #detect(one: Enabled, event: Event, standing: Standing): Operation[] | undefined {
    if ('fold' in one.detector) return undefined;
    const opinion = one.detector.detect(event, one.config);
    const drafts = draftsOf(opinion);
    const operations: Operation[] = [];
    for (const draft of drafts) {
      operations.push(
        this.#emit(raised(this.#options.config.alerts, one, draft, standing.isLate), true),
      );
    }
    if (event.isCorrection && drafts.length === 0) {
      // The corrected record no longer supports what its original did.
      const { account, principal, identity, time } = event;
      const ghost = { account, principal, key: identity } as SignalDraft;
      const alertId = alertIdOf(account, principal.key, time, this.#options.config.alerts.window);
      operations.push({ kind: 'remove', alertId, signalId: signalIdOf(one.id, ghost) });
    }
    return operations.length > 0 ? operations : undefined;
  }

  #fold(
    one: Enabled,
    detector: FoldDetector,
    event: Event,
    standing: Standing,
    isRecount: boolean,
  ): Operation[] | undefined {
    const keyed = detector.state.key(event);
    if (typeof keyed === 'string') return undefined;
    // A correction of an event that was folded already must not count twice.
    if (isRecount && detector.state.isReplacing !== true) return undefined;
    const watermark = this.#clocks.watermark();
    if (!this.#state.stands(detector, event.time, watermark)) {
      return this.#judgeAlone(one, detector, keyed.key, event);
    }
    const known = this.#state.peek(detector, keyed.key, event.time);
    if (known !== undefined && detector.isKnown?.(event, known, one.config)) return undefined;
    if (detector.state.settleMs !== undefined) {
      const settling = this.#opened(one, detector, keyed.key, event);
      return settling !== undefined && detector.fold(event, settling, one.config) ? [] : undefined;
    }
    const { bucketMs } = detector.state;
    const start = windowStart(event.time, bucketMs);
    const name = `${one.id} ${keyed.key}`;
    const near = () => this.#state.buckets(detector, keyed.key, event.time, watermark);
    const stood = near();
    const before = this.#said.recall(name, start, stood) ?? detector.judge(stood, one.config);
    this.#said.forget(name);
    const state = this.#opened(one, detector, keyed.key, event);
    if (state === undefined || !detector.fold(event, state, one.config)) return undefined;
    const stands = near();
    const after = detector.judge(stands, one.config);
    this.#said.keep(name, start, stands, after);
    return this.#difference(one, before, after, standing.isLate);
  }

  /** Marked before it is folded: what a fold that throws left half done is stored as it is in memory. */
  #opened(one: Enabled, detector: FoldDetector, key: string, event: Event): unknown {
    const limits = this.#state.limitsReached;
    const state = this.#state.open(detector, key, event.time, this.#clocks.watermark());
    if (this.#state.limitsReached > limits) this.#limit(`${one.id} keys`);
    if (state !== undefined) this.#state.touch(detector, key, event.time);
    return state;
  }

  /**
   * Settled detectors speak of the buckets whose time has come. It comes with whole hours of event time,
   * less the bound, so that which buckets speak does not depend on the order within the bound.
   */
  #settle(): void {
    const { lateness } = this.#options.config;
    const watermark = this.#clocks.watermark();
    const upTo = windowStart(watermark + lateness, hourMs) - lateness;
    const from = this.#settledUpTo;
    if (upTo <= from) return;
    this.#settledUpTo = upTo;
    for (const one of this.#options.catalogue.enabled) {
      if (!('fold' in one.detector) || one.detector.state.settleMs === undefined) continue;
      for (const ripe of this.#state.ripe(one.detector, from, upTo, watermark)) {
        const operations = one.detector
          .judge(ripe.near, one.config)
          .filter((draft) => draft.time >= ripe.start && draft.time < ripe.end)
          .map((draft) => this.#emit(raised(this.#options.config.alerts, one, draft, false), true));
        if (operations.length > 0) this.#judgements.push(operations);
      }
    }
  }

  /**
   * An event whose bucket no longer stands is judged by itself: what it stood beside is forgotten. Its
   * signals have keys of their own, so that they add to what the alert says and replace nothing.
   */
  #judgeAlone(
    one: Enabled,
    detector: FoldDetector,
    key: string,
    event: Event,
  ): Operation[] | undefined {
    const state = detector.state.empty();
    if (!detector.fold(event, state, one.config)) return undefined;
    const start = windowStart(event.time, detector.state.bucketMs);
    const drafts = detector.judge([{ key, start, state }], one.config);
    return drafts.map((draft) => {
      const own = { ...draft, key: `${draft.key} late ${event.identity}`, limited: true };
      return this.#emit(raised(this.#options.config.alerts, one, own, true), true);
    });
  }

  #difference(
    one: Enabled,
    before: readonly JudgedSignal[],
    after: readonly JudgedSignal[],
    isLate: boolean,
  ): Operation[] {
    if (before.length === 0 && after.length === 0) return [];
    const gone = new Map<string, Operation>();
    const old = new Map<string, string>();
    for (const draft of before) {
      const { alertId, signal } = raised(this.#options.config.alerts, one, draft, isLate);
      gone.set(`${alertId}/${signal.id}`, { kind: 'remove', alertId, signalId: signal.id });
      old.set(`${alertId}/${signal.id}`, JSON.stringify(draft));
    }
    const operations: Operation[] = [];
    for (const draft of after) {
      const made = raised(this.#options.config.alerts, one, draft, isLate);
      const place = `${made.alertId}/${made.signal.id}`;
      gone.delete(place);
      if (old.get(place) === JSON.stringify(draft)) continue;
      operations.push(this.#emit(made, !old.has(place)));
    }
    return [...gone.values(), ...operations];
  }

  /** A signal on its way into an alert: with its chains, and counted when an exception hides it. */
  #emit(operation: Raised, isNew: boolean): Operation {
    const emitted = this.#chains.attach(operation);
    if (isNew && emitted.kind === 'hide') this.#countHidden(emitted.exception.id);
    return emitted;
  }

  #countHidden(exception: string | undefined): void {
    const { hidden } = this.#counters;
    if (exception !== undefined) hidden[exception] = (hidden[exception] ?? 0) + 1;
  }

  #sweep(event: Event): void {
    const { duplicates } = this.#options.config;
    const hour = Math.floor(event.time / hourMs);
    const isNewHour = hour > this.#sweptHour;
    if (!isNewHour && this.#ids.size <= duplicates.idsMax) return;
    this.#sweptHour = Math.max(hour, this.#sweptHour);
    this.#settle();
    const watermark = this.#clocks.watermark();
    this.#state.expire(this.#folds, watermark);
    this.#chains.expire(watermark);
    const { overLimit } = this.#ids.forget(watermark - duplicates.span, duplicates.idsMax);
    if (overLimit) this.#limit('eventIDs remembered');
  }

  #limit(name: string): void {
    this.#counters.limits[name] = (this.#counters.limits[name] ?? 0) + 1;
  }
}
