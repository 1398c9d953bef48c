// Where a record came from: enough to read on exactly behind it, opaque to everyone but its source.

/**
 * A place in a source. `shard` names an ordered part of it (a file, a Kinesis shard, a Kafka
 * partition); `sequence` orders records in the shard; `item` counts the items unwrapped from that
 * record (a file is one record of many items). Positions of one shard compare, others do not.
 */
export interface Position {
  readonly shard: string;
  readonly sequence: string;
  readonly item: number;
}

/**
 * How far a shard was read: everything before `position` is done. `done` holds the source's own mark
 * (for a file its size) once the record was read to its end, so that a record that grew is found.
 */
export interface Progress {
  readonly position: Position;
  readonly done?: string;
  /**
   * True when the last item was the broken remainder of a record that was cut short. Should the record
   * grow, what was cut off is whole then, and that item is unwrapped again.
   */
  readonly isCut?: boolean;
  /**
   * Where shards are merged: the arrival stamp, in milliseconds, up to which the lane had come when
   * this record took its turn. A shard that was passed over while it was idle goes on from there, so
   * that a re-read decides the same.
   */
  readonly turn?: number;
}
