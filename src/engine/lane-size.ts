// How much a lane holds.

/** What a lane holds; bytes are estimates by samples. */
export interface LaneSize {
  readonly keys: number;
  readonly ids: number;
  readonly sessions: number;
  /** Of `bytes`, what the sessions take. */
  readonly sessionBytes: number;
  readonly bytes: number;
}
