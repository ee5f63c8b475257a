import { readFileSync } from 'node:fs';
import { demoFile } from './demo-files.js';

export interface Airport {
  readonly iata: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** The airports of the United States, in the order of the file. */
export function readAirports(): Airport[] {
  const [header, ...lines] = readCsv(readFileSync(demoFile('airports.csv'), 'utf8'));
  return lines.map((cells) => {
    const cell = (column: string): string => cells[header!.indexOf(column)]!;
    return {
      iata: cell('iata'),
      name: cell('name'),
      city: cell('city'),
      state: cell('state'),
      country: cell('country'),
      latitude: Number(cell('latitude')),
      longitude: Number(cell('longitude')),
    };
  });
}

/** Comma-separated text as RFC 4180 has it: cells may be quoted, quotes in them are doubled. */
export function readCsv(text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    cells.push(quoted?.replaceAll('""', '"') ?? plain!);
    if (end === ',') continue;
    if (cells.length > 1 || cells[0] !== '') lines.push(cells);
    cells = [];
  }
  return lines;
}
