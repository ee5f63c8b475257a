const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `15m`, `6h`, `30d`. */
export type Duration = `${number}${keyof typeof UNIT_MS}`;

export const DURATION_EXAMPLES = '"500ms", "30s", "15m", "6h" or "30d"';

/** Milliseconds, whole and not negative; null for what is not a duration. */
export function durationMs(text: unknown): number | null {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) : null;
  if (!match) return null;
  const ms = Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
  return Number.isSafeInteger(ms) ? ms : null;
}

/** The shortest text of a duration: `90m`, `1d`. */
export function durationText(ms: number): Duration {
  const units = Object.entries(UNIT_MS).reverse();
  const [unit, unitMs] = units.find(([, one]) => ms % one === 0 && ms >= one) ?? units.at(-1)!;
  return `${ms / unitMs}${unit}` as Duration;
}
