import { type Figure, type Reading, reached } from './figure.js';

/** A figure for people: a line for each number, with what was to be reached. */
export function printed(figure: Figure, readings: readonly Reading[]): string {
  const width = Math.max(...readings.map(({ label }) => label.length));
  const lines = readings.map((reading) => {
    const { label, target } = reading;
    const goal = target
      ? `   ${target.is} ${target.value}   ${reached(reading) ? 'reached' : 'NOT REACHED'}`
      : '';
    return `  ${label.padEnd(width)}  ${text(reading).padStart(18)}${goal}`;
  });
  return `\n${figure.title}  [${figure.name}]\n${lines.join('\n')}`;
}

function text({ value, unit }: Reading): string {
  switch (unit) {
    case 'events/s':
      return `${Math.round(value).toLocaleString('en-US')} events/s`;
    case '×':
      return `${value.toFixed(2)} ×`;
    case 'each':
      return value.toFixed(2);
    case 'count':
      return Math.round(value).toLocaleString('en-US');
    default:
      return `${value.toFixed(1)} ${unit}`;
  }
}

/** The same for programs. */
export function report(
  startedAt: Date,
  environment: Readonly<Record<string, unknown>>,
  measured: readonly { figure: Figure; readings: readonly Reading[] }[],
): unknown {
  return {
    startedAt: startedAt.toISOString(),
    tookMs: Date.now() - startedAt.getTime(),
    environment,
    figures: Object.fromEntries(
      measured.map(({ figure, readings }) => [
        figure.name,
        {
          title: figure.title,
          readings: readings.map((reading) => ({ ...reading, reached: reached(reading) })),
        },
      ]),
    ),
  };
}
