/** Bounds of the connections to Redis, the same for everybody. */
export const connectionLimits = {
  /** How long connecting may take. */
  connectTimeoutMs: 5_000,
  /** A connection whose answer takes longer is cut, and made anew. */
  commandTimeoutMs: 10_000,
  /** The pause between attempts to connect, at the most. */
  reconnectMsMax: 2_000,
  /** How long replicas are waited for at a time, where only their number is given. */
  replicasWithinMs: 1_000,
  /** Hash slots of a cluster in which entries are waited for with a connection of their own; others are looked at now and then. */
  waitedSlotsMax: 256,
} as const;
